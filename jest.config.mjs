import { fileURLToPath } from 'node:url';

const counter = fileURLToPath(new URL('tools/count-tests.mjs', import.meta.url));

/** Runs compiled specs; `rootDir` is the package, given by tools/jest.mjs. */
export default {
  roots: ['<rootDir>/dist'],
  testMatch: ['**/dist/**/*.spec.js'],
  testEnvironment: 'node',
  transform: {},
  testTimeout: 90_000,
  maxWorkers: '50%',
  passWithNoTests: true,
  // A client whose broker was killed under it can keep a process alive after its last test: the run must end all the same.
  forceExit: true,
  reporters: ['default', counter],
};
