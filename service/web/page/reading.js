// What is known of a text that has been read: its tokens, and what each contributed.

/** A token: its place in UTF-16 units, and the log-odds of each label after it. */
export class Reading {
  constructor() {
    this.thresholds = null; // by label, where the likeliest label is not always the one given
    this.forget();
  }

  /** Know nothing of any text. */
  forget() {
    this.tokens = [];
    this.nothing = null; // log-odds of the empty text
    this.text = "";
  }

  /**
   * Take an answer to a piece that began at `from`; `text` is all that has been read.
   * Return the place from which on something is new.
   */
  take(from, answer, text) {
    if (text === "") this.nothing = toOdds(answer.prediction.probabilities);
    const toUnits = makeToUnits(text);
    const first = answer.steps.length ? toUnits(answer.steps[0].start) : from;
    this.tokens = this.tokens.filter((token) => !token.held && token.start < first);
    for (const step of answer.steps) {
      this.tokens.push({
        start: toUnits(step.start),
        end: toUnits(step.end),
        held: step.held,
        odds: step.log_odds,
        gates: step.gates?.at(-1), // of the last layer
      });
    }
    this.text = text;
    return first;
  }

  /** What the token of this number changed for each label; the first one in comparison to `nothing`. */
  contributions(number) {
    const { odds } = this.tokens[number];
    const before = number ? this.tokens[number - 1].odds : this.nothing ?? odds;
    return Object.fromEntries(Object.keys(odds).map((label) => [label, odds[label] - before[label]]));
  }

  /** The label that is ahead after the token of this number. */
  leader(number) {
    const { odds } = this.tokens[number];
    const worth = (label) =>
      this.thresholds ? probability(odds[label]) / (this.thresholds[label] ?? 1) : odds[label];
    return Object.keys(odds).reduce((best, label) => (worth(label) > worth(best) ? label : best));
  }
}

/**
 * Return pairs of label and value, highest value first. The order of the object says nothing:
 * JavaScript puts names that are whole numbers before all others.
 */
export function rank(values) {
  return Object.entries(values).sort((one, other) => other[1] - one[1]);
}

/** Return a label as it is shown; quotes make one visible that is empty or blank. */
export function show(label) {
  return label.trim() ? label : `“${label}”`;
}

/** Return what turns the number of a character into that of a UTF-16 unit. */
function makeToUnits(text) {
  if (!/[\ud800-\udbff]/.test(text)) return (place) => place;
  const units = [];
  let unit = 0;
  for (const character of text) {
    units.push(unit);
    unit += character.length;
  }
  units.push(unit);
  return (place) => units[Math.min(place, units.length - 1)];
}

function toOdds(probabilities) {
  const odds = (p) => Math.log(p / (1 - p));
  return Object.fromEntries(Object.entries(probabilities).map(([label, p]) => [label, odds(p)]));
}

export function probability(odds) {
  return 1 / (1 + Math.exp(-odds));
}
