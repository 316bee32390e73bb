export { type Grant, type GrantState, type GrantStatus, refusalToUse } from './grant.js';
export { type GrantFilter, Grants, grantAggregate, type ListedGrant } from './grant.store.js';
