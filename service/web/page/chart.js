// The probability of the leading labels after each token, and where the verdict turns.

import { probability, rank } from "./reading.js";

const WIDTH = 1000;
const HEIGHT = 200;
const EDGE = 6;
const POINTS = 1000; // more cannot be seen
const LASTING = 10; // tokens for which a turn must last to be called one
const LABELS = 3;
const SVG = "http://www.w3.org/2000/svg";

export function drawChart(svg, reading, hue) {
  const curves = reading.tokens.length
    ? leaders(reading).map((label) => [hue(label), (token) => probability(token.odds[label])])
    : [];
  drawCurves(svg, reading.tokens, curves);
  for (const { number } of findTurns(reading)) {
    const place = x(number, reading.tokens.length);
    svg.append(line("turn", place, 0, place, HEIGHT));
  }
}

/** Draw how far each gate opens; gates have hues of their own, from `first` on. */
export function drawGates(svg, reading, gates, first) {
  const curves = gates.map((gate, n) => [first + n, (token) => token.gates?.[gate]]);
  drawCurves(svg, reading.tokens, curves);
}

/** Draw curves, each a hue and what gives a value from 0 to 1 for a token. */
function drawCurves(svg, tokens, curves) {
  svg.replaceChildren(line("half", 0, HEIGHT / 2, WIDTH, HEIGHT / 2));
  const count = tokens.length;
  const step = Math.max(1, Math.floor(count / POINTS));
  const numbers = [...Array(Math.ceil(count / step)).keys()].map((n) => n * step);
  if (count && numbers.at(-1) !== count - 1) numbers.push(count - 1);
  for (const [hue, valueOf] of curves) {
    const known = numbers.filter((n) => valueOf(tokens[n]) !== undefined);
    const points = known.map((n) => `${x(n, count)},${y(valueOf(tokens[n]))}`);
    if (points.length === 1) points.push(`${WIDTH},${points[0].split(",")[1]}`);
    const curve = document.createElementNS(SVG, "polyline");
    curve.setAttribute("class", `h${hue}`);
    curve.setAttribute("points", points.join(" "));
    svg.append(curve);
  }
}

const x = (number, count) => (count > 1 ? (number / (count - 1)) * WIDTH : 0);
const y = (value) => HEIGHT - EDGE - value * (HEIGHT - 2 * EDGE);

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
  const given = reading.leader(reading.tokens.length - 1);
  const others = rank(reading.tokens.at(-1).odds).map(([label]) => label).filter((each) => each !== given);
  return [given, ...others].slice(0, LABELS);
}

function line(name, x1, y1, x2, y2) {
  const node = document.createElementNS(SVG, "line");
  node.setAttribute("class", name);
  Object.entries({ x1, y1, x2, y2 }).forEach(([key, value]) => node.setAttribute(key, value));
  return node;
}
