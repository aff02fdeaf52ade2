// Puts the page together: text in, verdict, tints, curves and words out.

import { keepKey, keyHeaders } from "./access.js";
import { drawChart, drawGates, findTurns } from "./chart.js";
import { rank, Reading, show } from "./reading.js";
import { Stream } from "./stream.js";
import { strongest, Tint } from "./tint.js";

const HUES = 8;
const LABELS = 7; // bars; more do not fit
const GATE_HUE = 2; // of the first gate; labels begin at 0
const MEANINGS = {
  input: "input: how much of the word is taken in",
  forget: "forget: how much of the state is kept",
  output: "output: how much of the state is shown",
  update: "update: how much of the state is kept",
  reset: "reset: how much of the state the word is seen with",
};
const WORDS = 6; // of each label
const TURNS = 8;
const AGAIN = 1000; // milliseconds
const REST = 1500; // milliseconds without an answer after which the verdict is said

const $ = (id) => document.getElementById(id);
const reading = new Reading();
const tint = new Tint($("tinted"), $("text"));
let gates = []; // of the model
let labels = []; // of the model, in its order
let changed = Infinity; // place from which on something is to be drawn
let latest = null;
let askingForKey = false;
let offered = false;
let turnTokens = []; // of the buttons of turns

const hue = (label) => Math.max(0, labels.indexOf(label)) % HUES;

const stream = new Stream({
  onRead(from, answer, read) {
    changed = Math.min(changed, reading.take(from, answer, read));
    latest = answer.prediction;
    if (read === $("text").value) tell("connected", false);
    sayLater();
    later();
  },
  onState(text, wrong) {
    if (!askingForKey) tell(text, wrong);
  },
  onRefused: checkKey,
});

function tell(text, wrong) {
  setText($("status"), text);
  $("status").classList.toggle("wrong", wrong);
}

/** Screen readers say a text again that is set again. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

let rest = 0;
/** Have the verdict said, not after every word but when the writer pauses. */
function sayLater() {
  clearTimeout(rest);
  rest = setTimeout(() => {
    setText($("said"), $("text").value ? `Verdict: ${$("label").textContent}` : "");
  }, REST);
}

let waiting = false;
function later() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

function draw() {
  tint.draw(reading, $("text").value, changed, hue);
  changed = Infinity;
  drawChart($("chart"), reading, hue);
  drawGates($("gates"), reading, gates, GATE_HUE);
  drawVerdict();
  drawTurns();
  drawWords();
  const count = reading.tokens.length;
  $("count").textContent = count ? `${count.toLocaleString("en")} tokens read.` : "";
}

function drawVerdict() {
  if (!latest) {
    $("label").textContent = "\u00a0";
    $("bars").replaceChildren();
    return;
  }
  const chosen = latest.labels ?? [latest.label];
  $("label").textContent = chosen.map(show).join(", ") || "no label";
  const ranked = rank(latest.probabilities);
  const given = ranked.filter(([label]) => chosen.includes(label)); // likely or not
  const others = ranked.filter(([label]) => !chosen.includes(label));
  const shown = [...given, ...others].slice(0, LABELS).sort((one, other) => other[1] - one[1]);
  $("bars").replaceChildren(...shown.map(([label, p]) => makeBar(label, p)));
}

function makeBar(label, p) {
  const row = document.createElement("li");
  const [name, bar, number] = ["span", "div", "span"].map((kind) => document.createElement(kind));
  const filled = document.createElement("i");
  name.textContent = name.title = show(label);
  bar.className = `bar h${hue(label)}`;
  bar.setAttribute("aria-hidden", "true");
  filled.style.transform = `scaleX(${p})`;
  bar.append(filled);
  number.textContent = `${(100 * p).toFixed(1)} %`;
  row.append(name, bar, number);
  return row;
}

function drawTurns() {
  const turns = findTurns(reading);
  const last = turns.slice(-TURNS);
  turnTokens = last.map(({ number }) => reading.tokens[number]);
  const buttons = last.map(({ number, before, after }, place) => {
    const { start, end } = reading.tokens[number];
    const button = document.createElement("button");
    button.type = "button";
    const word = isolate(reading.text.slice(start, end));
    button.append("“", word, "”: ", isolate(show(before)), " → ", isolate(show(after)));
    button.addEventListener("click", () => select(turnTokens[place]));
    return button;
  });
  const many = turns.length > TURNS ? ` (the last ${TURNS} of ${turns.length})` : "";
  const heading = turns.length
    ? `The verdict turns here${many}: `
    : "Where the verdict turns, a line is drawn.";
  const made = document.createElement("p");
  made.append(heading, ...buttons);
  // A button that is made anew loses the focus. One that stays finds the word where it is now.
  if (made.textContent !== $("turns").textContent) $("turns").replaceChildren(...made.childNodes);
}

/** Select a word in the text area, and scroll to it. */
function select({ start, end }) {
  const area = $("text");
  area.focus();
  area.setSelectionRange(start, end);
  const span = document.createRange();
  const walker = document.createTreeWalker($("tinted"), NodeFilter.SHOW_TEXT);
  let place = 0;
  while (walker.nextNode() && place + walker.currentNode.length <= start) {
    place += walker.currentNode.length;
  }
  span.setStart(walker.currentNode, start - place);
  const top = span.getBoundingClientRect().top - $("tinted").getBoundingClientRect().top;
  area.scrollTop += top - area.clientHeight / 2;
}

function drawWords() {
  const found = new Map(); // by label, each word and what it changed at most
  reading.tokens.forEach(({ start, end }, number) => {
    const [label, change] = strongest(reading.contributions(number));
    if (change < 0.1) return;
    if (!found.has(label)) found.set(label, new Map());
    const words = found.get(label);
    const word = reading.text.slice(start, end).toLowerCase();
    words.set(word, Math.max(change, words.get(word) ?? 0));
  });
  const lists = [...found].map(([label, words]) => makeList(label, words));
  $("words").replaceChildren(...lists);
}

function makeList(label, words) {
  const section = document.createElement("div");
  const heading = document.createElement("h3");
  heading.className = `h${hue(label)}`;
  heading.append("for ", isolate(show(label)));
  const list = document.createElement("ol");
  const strongestFirst = [...words].sort((one, other) => other[1] - one[1]).slice(0, WORDS);
  for (const [word, change] of strongestFirst) {
    const item = document.createElement("li");
    const number = document.createElement("span");
    number.textContent = ` +${change.toFixed(2)}`;
    item.append(isolate(word), number);
    list.append(item);
  }
  section.append(heading, list);
  return section;
}

/** Text that may run from the right, among text that runs from the left. */
function isolate(text) {
  const node = document.createElement("bdi");
  node.textContent = text;
  return node;
}

const fetchModels = () => fetch("models", { headers: keyHeaders() });
const wantsKey = ({ status }) => status === 401 || status === 403;

async function loadModels() {
  try {
    const answer = await fetchModels();
    const { models, error } = await answer.json();
    if (wantsKey(answer)) {
      askForKey(error.message);
      return;
    }
    if (offered) return;
    const usable = models.flatMap((model) =>
      model.versions
        .filter((version) => version.state === "ready" && version.streamable)
        .map((version) => ({ model, version })),
    );
    if (!usable.length) throw new Error("no model is ready");
    offer(usable);
  } catch (error) {
    tell(`The models cannot be listed (${error.message}); trying again …`, true);
    setTimeout(loadModels, AGAIN);
  }
}

/** Ask for a key where the one that is kept does not open the service any more. */
async function checkKey() {
  if (!offered || askingForKey) return; // it is being asked for
  try {
    const answer = await fetchModels();
    if (wantsKey(answer)) askForKey((await answer.json()).error.message);
  } catch {
    // The service is out of reach, which the stream tells.
  }
}

/** Show the field for an API key, and go on once one is given. */
function askForKey(why) {
  askingForKey = true;
  $("access").hidden = false;
  tell(why, true);
}

$("access").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!keepKey($("key").value)) {
    tell("This is no API key: one begins with gw_ and has neither blanks nor quotes.", true);
    return;
  }
  askingForKey = false;
  $("access").hidden = true;
  tell("connecting …", false);
  loadModels();
  stream.hurry();
});

/** Return what answers where a request names no model, or no version of the first model. */
function findDefault(usable) {
  const { model } = usable.find(({ model }) => model.default) ?? usable[0];
  const own = usable.filter((each) => each.model === model); // newest first
  return own.find(({ version }) => version.version === model.version_labels?.stable) ?? own[0];
}

function offer(usable) {
  offered = true;
  const select = $("model");
  const first = findDefault(usable).version;
  select.replaceChildren(
    ...usable.map(({ model, version }, number) => {
      const option = document.createElement("option");
      option.value = number;
      option.textContent = `${model.name}:${version.version}`;
      option.selected = version === first;
      return option;
    }),
  );
  select.disabled = false;
  const choose = () => {
    const { model, version } = usable[select.value];
    ({ labels, gates } = version);
    reading.forget(); // nothing of another model stands under this name
    latest = null;
    reading.thresholds = version.task === "single_label" ? version.thresholds ?? null : null;
    changed = 0;
    tellGates();
    stream.read($("text").value, {
      name: model.name,
      version: version.version,
      gates: gates.length > 0,
    });
    later();
  };
  select.addEventListener("change", choose);
  choose();
}

function tellGates() {
  const entries = gates.map((gate, n) => {
    const entry = document.createElement("span");
    entry.className = `h${GATE_HUE + n}`;
    entry.textContent = MEANINGS[gate];
    return entry;
  });
  const none = "This version was published before its gates could be read, or has none.";
  $("legend").replaceChildren(...(entries.length ? entries : [none]));
}

$("text").addEventListener("input", () => {
  changed = Math.min(changed, reading.tokens.at(-1)?.start ?? 0);
  stream.read($("text").value);
  later();
});
new ResizeObserver(later).observe($("text"));
loadModels();
