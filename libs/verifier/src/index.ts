export * from './dossier/index.js';
