// Runs the scripts of the page on a document that is made up, and prints what they show.
//
//     node show_page.mjs FOLDER ANSWER
//
// ANSWER is the JSON of a prediction. The service that is made up gives it for each piece.

import { pathToFileURL } from "node:url";

import { $, settle } from "./made_document.mjs";

const [folder, given] = process.argv.slice(2);
const prediction = JSON.parse(given);

$("model").value = "0"; // the first model that is offered
globalThis.sessionStorage = { getItem: () => null };
const version = {
  version: 1,
  state: "ready",
  streamable: true,
  gates: [],
  labels: prediction.order,
  task: "single_label",
  thresholds: prediction.thresholds,
};
globalThis.fetch = async () => ({
  json: async () => ({
    models: [
      {
        name: "toy",
        default: true,
        versions: [version],
      },
    ],
  }),
});

const odds = (p) => Math.log(p / (1 - p));
const asked = [];
globalThis.WebSocket = class {
  static OPEN = 1;
  readyState = 1;
  constructor(url) {
    asked.push(String(url));
    setImmediate(() => this.onopen());
  }
  send(message) {
    const { text } = JSON.parse(message);
    // The JSON as the service writes it, with the most probable label first.
    const log_odds = Object.entries(prediction.probabilities).map(
      ([label, p]) => `${JSON.stringify(label)}: ${odds(p)}`,
    );
    const step = `{"start": 0, "end": ${text.length}, "held": false, "log_odds": {${log_odds}}}`;
    const steps = text ? step : "";
    const answer = `{"prediction": ${given}, "steps": [${steps}]}`;
    setImmediate(() => this.onmessage({ data: answer }));
  }
};

await import(pathToFileURL(`${folder}/page.js`));
await settle();
$("text").value = "good";
$("text").listeners.input();
await settle();
const bars = $("bars").children.map((row) => row.children.map((part) => part.textContent));
console.log(
  JSON.stringify({
    label: $("label").textContent,
    bars: bars.map(([name, , number]) => [name, number]),
    curves: $("chart").children.filter((child) => child.attributes.points).map((c) => c.attributes),
    asked,
  }),
);
process.exit(0);
