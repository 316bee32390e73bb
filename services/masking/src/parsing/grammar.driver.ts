import { loadModule, parseSync, SqlError } from 'libpg-query';
import { EXHAUSTED, type Grammar } from './parsing.js';

/** Loads PostgreSQL 18's grammar (libpg_query as WASM) into this thread. */
export async function loadGrammar(): Promise<Grammar> {
  await loadModule();
  return (text) => {
    try {
      return parseSync(text);
    } catch (error) {
      // The library's error quotes the statement, so it goes no further.
      if (error instanceof SqlError)
        throw new SyntaxError(error.message.startsWith('memory exhausted') ? EXHAUSTED : 'refused');
      throw error;
    }
  };
}
