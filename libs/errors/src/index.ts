export { type CatalogueEntry, catalogue, type ErrorCode, type GrpcStatus, isErrorCode } from './catalogue.js';
export {
  CountersignError,
  type ErrorOptions,
  fromWire,
  type ProblemDetails,
  toCountersignError,
  toProblem,
  toWire,
  type WireError,
} from './countersign-error.js';
