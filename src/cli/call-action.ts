/** From an action's name to its answer on the screen: what every command that is one API call does. */
import type { AnyAction } from '../api/action.ts';
import type { Client } from './api-client.ts';
import { write, writeJson } from './output.ts';
import { asText } from './answer-text.ts';

type Answer = Record<string, unknown>;

export function call(
  client: Client,
  name: string,
  action: Pick<AnyAction, 'service'>,
  fields: object,
): Promise<Answer> {
  return client.call(name, fields, action.service ?? 'teo');
}

export function show(answer: Answer, json: boolean): void {
  if (json) writeJson(answer);
  else write(asText(answer));
}
