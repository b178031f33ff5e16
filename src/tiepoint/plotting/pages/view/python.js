// @ts-check
// The chosen thresholds as Python: the line that is seen, and the whole that is copied, which runs as it is.
"use strict";

/** All statements: what was made of the files, and what the thresholds leave of it. */
function pythonLines() {
  const chosen = PAGE.kind === "pair" ? matchesLine(state.thresholds) : featuresLine(state.thresholds);
  return [...PAGE.origin, ...(chosen ? [chosen] : [])];
}

/**
 * @param {Thresholds} thresholds
 * @returns {string}
 */
function matchesLine({ mutual, ratio, distance, score, most }) {
  const options = [];
  if (ratio !== null && ROWS.ratio) options.push(`ratio=${ratio}`);
  if (distance !== null && ROWS.distance) options.push(`max_distance=${distance}`);
  let line = "result.candidates";
  if (mutual && ROWS.mutual) {
    line = `tp.match_features(${["result.features0", "result.features1", ...options].join(", ")})`;
  } else {
    if (score !== null) line += `[${line}.score >= ${score}]`;
    if (options.length) line += `.where(${options.join(", ")})`;
  }
  return `matches = ${line}${limited(most)}`;
}

/**
 * @param {Thresholds} thresholds
 * @returns {string} empty where all features pass
 */
function featuresLine({ score, size, most }) {
  const conditions = [];
  if (size !== null) conditions.push(`features.size >= ${size}`);
  if (score !== null) conditions.push(`features.score >= ${score}`);
  const all = conditions.length > 1 ? conditions.map((one) => `(${one})`).join(" & ") : conditions[0];
  if (!all && most === null) return "";
  return `features = features${all ? `[${all}]` : ""}${limited(most)}`;
}

/** @param {number | null} most */
function limited(most) {
  return most === null ? "" : `.strongest(${most})`;
}

/** Show the last of them: those before it stay as they are. */
function showPython() {
  byId("code").textContent = pythonLines().at(-1) ?? "";
  byId("copied").textContent = "";
}

async function copyPython() {
  const text = `${pythonLines().join("\n")}\n`;
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A frame in a notebook has no clipboard: the lines are selected, and the old command tried.
    byId("code").textContent = text;
    window.getSelection()?.selectAllChildren(byId("code"));
    done = document.execCommand("copy");
  }
  byId("copied").textContent = done ? "Copied, with what it needs." : "Selected: copy it with Ctrl+C.";
}
