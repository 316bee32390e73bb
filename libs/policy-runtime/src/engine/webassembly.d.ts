/** The part of the WebAssembly JavaScript interface that is used here; the compiler knows it only with the DOM. */
declare namespace WebAssembly {
  type ExportValue = unknown;
  class Memory {
    readonly buffer: ArrayBuffer;
  }
  class Module {
    private constructor();
  }
  class Instance {
    readonly exports: Record<string, ExportValue>;
  }
  interface WebAssemblyInstantiatedSource {
    readonly instance: Instance;
  }
  interface MemoryDescriptor {
    initial: number;
    maximum?: number;
  }
  function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Module>;
}

/** Named by the types of @open-policy-agent/opa-wasm. */
type BufferSource = ArrayBuffer | ArrayBufferView<ArrayBuffer>;
