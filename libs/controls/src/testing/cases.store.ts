import { readFileSync } from 'node:fs';

const folder = new URL('../../cases/', import.meta.url);

/** A file of cases, JSON. */
export function readCases<Cases>(name: string): Cases {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Cases;
}

/** A file of cases, one of JSON a line. */
export function readCaseLines<Case>(name: string): Case[] {
  return readFileSync(new URL(name, folder), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Case);
}
