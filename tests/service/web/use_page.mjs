// Uses the page as somebody would, with a service that is made up, and prints what was seen.
//
//     node use_page.mjs FOLDER SCENARIO [INPUT]

import { pathToFileURL } from "node:url";

import { $, settle } from "./made_document.mjs";

const [folder, scenario, input] = process.argv.slice(2);
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/; // of RFC 9110, as browsers ask of a protocol
const LABELS = ["pos", "neg"];
const STORED = "gatewise-key";

const version = (number, more) => ({
  version: number,
  state: "ready",
  streamable: true,
  gates: [],
  labels: LABELS,
  task: "single_label",
  ...more,
});
const service = {
  models: [{ name: "toy", default: true, versions: [version(1)] }],
  key: null, // that it takes; null where it asks for none
  failing: null, // version that cannot be loaded
  delay: 0, // milliseconds of an answer
  messages: [],
  sockets: [],
};
const stored = {};

globalThis.sessionStorage = {
  getItem: (name) => stored[name] ?? null,
  setItem: (name, value) => (stored[name] = value),
};
globalThis.fetch = async (_, { headers }) => {
  const shown = new Headers(headers).get("authorization");
  const refused = service.key !== null && shown !== `Bearer ${service.key}`;
  const error = { message: "this API key is not valid" };
  return {
    status: refused ? 401 : 200,
    json: async () => (refused ? { error } : { models: service.models }),
  };
};
globalThis.WebSocket = class {
  static OPEN = 1;
  static CLOSED = 3;
  readyState = 0;
  constructor(_, protocols = []) {
    const unfit = protocols.find((each) => !TOKEN.test(each));
    if (unfit) throw new DOMException(`the subprotocol '${unfit}' is invalid`, "SyntaxError");
    service.sockets.push(this);
    const taken = service.key === null || protocols.includes(`gatewise.key.${service.key}`);
    setImmediate(() => (taken ? this.open() : this.close()));
  }
  open() {
    this.readyState = WebSocket.OPEN;
    this.onopen();
  }
  close() {
    this.readyState = WebSocket.CLOSED;
    this.onclose();
  }
  send(message) {
    const asked = JSON.parse(message);
    service.messages.push(asked);
    if (asked.restart) [this.model, this.read] = [`${asked.model}:${asked.version}`, ""];
    const steps = [...asked.text.matchAll(/\w+/g)].map((word) => ({
      start: this.read.length + word.index,
      end: this.read.length + word.index + word[0].length,
      held: false,
      log_odds: { pos: word[0] === "bad" ? -1 : 1, neg: word[0] === "bad" ? 1 : -1 },
    }));
    this.read += asked.text;
    // The label says which model has read.
    const prediction = { label: this.model, probabilities: { pos: 0.6, neg: 0.4 } };
    const error = { type: "version_failed", message: `${this.model} could not be loaded` };
    const data = JSON.stringify(this.model === service.failing ? { error } : { prediction, steps });
    setTimeout(() => this.readyState === WebSocket.OPEN && this.onmessage({ data }), service.delay);
  }
};

const start = () => import(pathToFileURL(`${folder}/page.js`));
const type = (text) => {
  $("text").value = text;
  $("text").listeners.input();
};
const choose = (number) => {
  $("model").value = String(number);
  $("model").listeners.change();
};
const giveKey = (key) => {
  $("key").value = key;
  $("access").listeners.submit({ preventDefault() {} });
};
const quiet = async () => {
  for (let known = -1; known !== service.messages.length; await settle(150)) {
    known = service.messages.length;
  }
};
const offered = () => $("model").children.map((option) => option.textContent);
const chosen = () => $("model").children.filter((each) => each.selected).map((each) => each.textContent);

const scenarios = {
  async switch() {
    service.models = ["gru", "lstm"].map((name) => ({ name, versions: [version(1)] }));
    service.delay = 10;
    $("model").value = "0";
    await start();
    type("good ".repeat(2000));
    while (service.messages.length < 3) await settle(1);
    choose(1); // some pieces are read, one is under way
    await quiet();
    const read = service.messages.filter((each) => each.restart).map((each) => each.model);
    return { label: $("label").textContent, count: $("count").textContent, last: read.at(-1) };
  },
  async fail() {
    service.models = ["gru", "lstm"].map((name) => ({ name, versions: [version(1)] }));
    service.failing = "lstm:1";
    $("model").value = "0";
    await start();
    await settle();
    type("good");
    await quiet();
    const before = $("label").textContent;
    choose(1);
    await quiet();
    return {
      before,
      status: $("status").textContent,
      label: $("label").textContent,
      bars: $("bars").children.length,
      words: $("words").children.length,
    };
  },
  async offer() {
    service.models = JSON.parse(input).map(({ versions, ...model }) => ({
      ...model,
      versions: versions.map(([number, more]) => version(number, more)),
    }));
    $("model").value = "0";
    await start();
    await settle();
    return { offered: offered(), chosen: chosen() };
  },
  async stored() {
    service.key = "gw_1_right";
    stored[STORED] = input;
    await start();
    await settle();
    return { status: $("status").textContent, hidden: $("access").hidden };
  },
  async given() {
    service.key = "gw_1_right";
    $("model").value = "0";
    await start();
    await settle();
    giveKey(input);
    await settle(400);
    return {
      status: $("status").textContent,
      hidden: $("access").hidden,
      kept: stored[STORED] ?? null,
    };
  },
  async revoked() {
    service.key = "gw_1_right";
    stored[STORED] = service.key;
    $("access").hidden = true;
    $("model").value = "0";
    await start();
    await settle();
    const before = $("access").hidden;
    service.key = "gw_2_next";
    service.sockets.at(-1).close();
    await settle(400);
    const refused = { status: $("status").textContent, hidden: $("access").hidden };
    giveKey("gw_2_next");
    await settle(400);
    type("good");
    await settle();
    return {
      before,
      refused,
      after: { status: $("status").textContent, hidden: $("access").hidden },
      label: $("label").textContent,
    };
  },
  async turns() {
    $("model").value = "0";
    await start();
    await settle();
    const click = () => {
      const button = $("turns").children.find((each) => each.listeners?.click);
      button.listeners.click();
      return $("text").selected;
    };
    const text = "good ".repeat(10) + "bad ".repeat(12);
    type(text);
    await settle();
    const first = click();
    type(`well now ${text}`);
    await settle();
    return { first, second: click(), buttons: $("turns").textContent };
  },
};

console.log(JSON.stringify(await scenarios[scenario]()));
process.exit(0);
