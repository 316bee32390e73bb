export { ANSWERED, FORWARDED, isJson, mediaTypeOf, NEVER, waitOf } from './headers.js';
export { methods, Routes, readTemplate } from './operations.js';
export {
  type Destination,
  type Prepared,
  prepare,
  type Received,
  requestOf,
  type Unprepared,
} from './prepare.js';
