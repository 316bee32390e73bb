export { type Activation, ActivePolicy, type ActivePolicyPorts, type Offer } from './active-policy.js';
export { type BundleFileOptions, readBundleFile, watchBundleFile } from './bundle-file.store.js';
