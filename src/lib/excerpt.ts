/**
 * Text that came from outside, fit for a message or a log line: no longer than it is worth reading, and nothing in it that
 * a terminal obeys or that ends a line.
 */
const MOST_CHARACTERS = 200;

export function excerpt(text: string): string {
  return cut(escapeControls(cut(text)));
}

export function cut(text: string, most = MOST_CHARACTERS): string {
  // Not between the two halves of a character.
  return text.length > most ? `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…` : text;
}

/** C0, DEL and C1 with their escape sequences, the line ends that are not C0, and what turns the direction of text. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** As JSON writes them, so JSON stays what it is. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character) => {
    if (character === '\n') return '\\n';
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
