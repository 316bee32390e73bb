export { type DossierSource, exportDossier } from './dossier.store.js';
