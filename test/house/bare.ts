/**
 * Takes the comments out of TypeScript, and what its strings say, keeping every line where it is. Not a parser: it knows
 * strings, templates, comments and the regular expressions that could be mistaken for them. Used by tree.ts.
 */
const TOKEN = new RegExp(
  [
    String.raw`(?<comment>\/\*[\s\S]*?\*\/|\/\/[^\n]*)`,
    String.raw`(?<text>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")`,
    String.raw`(?<template>\x60(?:\\[\s\S]|[^\x60\\])*\x60)`,
    // A slash begins an expression only after what can't end a value.
    String.raw`(?<=[=(,:;!&|?{}[\n]\s*|return\s+)(?<regex>\/(?![*/\s])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*)`,
  ].join('|'),
  'g',
);

interface Bare {
  readonly code: string;
  readonly skeleton: string;
}

export function bare(text: string): Bare {
  const code = text.replace(TOKEN, (token: string, comment?: string) =>
    comment === undefined ? token : hollow(token),
  );
  const skeleton = code.replace(TOKEN, (token: string) => `${token.at(0)}${hollow(token.slice(1, -1))}${token.at(-1)}`);
  return { code, skeleton };
}

/** The same lines, blank. What a template computes is code, so it stays. */
function hollow(token: string): string {
  const computed = [...token.matchAll(/\$\{([^{}]*)\}/g)].map((match) => match[1]).join(' ');
  return `${token.startsWith('/') ? '' : ` ${computed} `}${'\n'.repeat(token.split('\n').length - 1)}`;
}
