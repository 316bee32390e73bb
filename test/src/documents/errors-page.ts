import { type CatalogueEntry, catalogue } from '@countersign/errors';

/** docs/errors.md, from the catalogue. */
export function errorsPage(): string {
  const rows = Object.entries(catalogue).map(([code, entry]: [string, CatalogueEntry]) => {
    const { message, next, sqlstate, grpc, http } = entry;
    return `| \`${code}\` | ${message} | ${next} | ${sqlstate} | ${grpc} | ${http} |`;
  });
  return `# Errors

Every refusal has a code of this catalogue. An agent sees the sentence as the error's message and the next step as its
hint; HTTP answers carry both as problem details (RFC 9457). No message holds a literal, a credential or a row value.
This page is written from \`libs/errors\`: \`node test/dist/documents/write.main.js\`.

| code | what happened | what to do | SQLSTATE | gRPC | HTTP |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}
