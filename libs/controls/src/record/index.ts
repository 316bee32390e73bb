export {
  type ControlReference,
  type EvidenceRecord,
  type JsonValue,
  type RecordContent,
  type RecordKind,
  type Relation,
  recordKinds,
  recordText,
} from './record.js';
