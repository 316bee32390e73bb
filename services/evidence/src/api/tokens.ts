/** What the API's module is given, by name: interfaces leave nothing behind that could name them. */
export const provided = {
  tokens: Symbol('tokens'),
  readings: Symbol('readings'),
} as const;
