export { readDossierFile } from './dossier-file.client.js';
export { type Palette, renderReport } from './render.js';
