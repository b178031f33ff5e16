// Scripts of a page share one scope, in the order in which the page names them: what is not defined is found by
// TypeScript, which reads them together.
const rules = {
  "consistent-return": "error",
  curly: ["error", "multi-line"],
  eqeqeq: "error",
  "no-empty": "error",
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-script-url": "error",
  "no-self-assign": "error",
  "no-shadow": "error",
  "no-unreachable": "error",
  "no-unsafe-finally": "error",
  "no-useless-escape": "error",
  "no-var": "error",
  "prefer-const": "error",
  "no-restricted-properties": [
    "error",
    ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map((property) => ({
      property,
      message: "names are text: use textContent or append",
    })),
    { object: "document", property: "write" },
  ],
  "no-restricted-globals": ["error", "fetch", "XMLHttpRequest", "WebSocket", "EventSource"],
};

export default [
  {
    files: ["src/tiepoint/plotting/pages/**/*.js"],
    languageOptions: { sourceType: "script", ecmaVersion: 2022 },
    rules,
  },
];
