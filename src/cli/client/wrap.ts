/** Lines of text within 80 columns; a word that is longer has a line of its own. Pure. */
const COLUMNS = 80;

/** All lines but the first are two blanks further in; each ends with a newline. */
export function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = `${indent}  `;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].map((one) => `${one}\n`).join('');
}
