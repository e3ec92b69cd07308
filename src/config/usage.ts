/** The refusal a person at a prompt gets: one line that says what to do. The program prints it and exits with 2. */
export class Usage extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Usage';
  }
}
