export {
  type Catalogue,
  type Column,
  type ColumnType,
  type Referrer,
  type Relation,
  type RelationKind,
  type Routine,
  relationKey,
  type Trigger,
  type TypeFact,
} from './model.js';
export { type CatalogueQueryName, catalogueQueries } from './queries.js';
export { type CatalogueRows, readCatalogue, readRows } from './read.js';
