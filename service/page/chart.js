// The probability of the leading labels after each token, and where the verdict turns.

import { probability } from "./reading.js";

const WIDTH = 1000;
const HEIGHT = 200;
const EDGE = 6;
const POINTS = 1000; // more cannot be seen
const LASTING = 10; // tokens for which a turn must last to be called one
const LABELS = 3;
const SVG = "http://www.w3.org/2000/svg";

export function drawChart(svg, reading, hue) {
  svg.replaceChildren(line("half", 0, HEIGHT / 2, WIDTH, HEIGHT / 2));
  const count = reading.tokens.length;
  if (!count) return;
  const x = (number) => (count > 1 ? (number / (count - 1)) * WIDTH : 0);
  const y = (p) => HEIGHT - EDGE - p * (HEIGHT - 2 * EDGE);
  const step = Math.max(1, Math.floor(count / POINTS));
  const numbers = [...Array(Math.ceil(count / step)).keys()].map((n) => n * step);
  if (numbers.at(-1) !== count - 1) numbers.push(count - 1);
  for (const label of leaders(reading)) {
    const points = numbers.map((n) => `${x(n)},${y(probability(reading.tokens[n].odds[label]))}`);
    if (points.length === 1) points.push(`${WIDTH},${points[0].split(",")[1]}`);
    const curve = document.createElementNS(SVG, "polyline");
    curve.setAttribute("class", `h${hue(label)}`);
    curve.setAttribute("points", points.join(" "));
    svg.append(curve);
  }
  for (const turn of findTurns(reading)) {
    svg.append(line("turn", x(turn.number), 0, x(turn.number), HEIGHT));
  }
}

/** Tokens after which another label is ahead than before, and stays so for a while. */
export function findTurns(reading) {
  const turns = [];
  let leader = null;
  let since = 0;
  let candidate = null;
  for (let number = 0; number < reading.tokens.length; number += 1) {
    const now = reading.leader(number);
    if (now !== candidate) [candidate, since] = [now, number];
    const lasts = number - since + 1 >= LASTING || number === reading.tokens.length - 1;
    if (candidate !== leader && lasts) {
      if (leader !== null) turns.push({ number: since, before: leader, after: candidate });
      leader = candidate;
    }
  }
  return turns;
}

function leaders(reading) {
  const { odds } = reading.tokens.at(-1);
  return Object.keys(odds)
    .sort((one, other) => odds[other] - odds[one])
    .slice(0, LABELS);
}

function line(name, x1, y1, x2, y2) {
  const node = document.createElementNS(SVG, "line");
  node.setAttribute("class", name);
  Object.entries({ x1, y1, x2, y2 }).forEach(([key, value]) => node.setAttribute(key, value));
  return node;
}
