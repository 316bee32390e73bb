console.log('Countersign: there is nothing to start yet.');
