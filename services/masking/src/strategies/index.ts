export { COMPUTED, type Mask, maskOf, type Treatment, type TypeWorld, underlyingType } from './mask.js';
export { base32, labelKey, surrogateOf } from './surrogate.js';
