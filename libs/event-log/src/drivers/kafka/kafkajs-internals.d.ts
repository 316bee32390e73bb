// What the client keeps to itself: it has no public way to read a partition from an offset without a consumer group.
// Of version 2.2.4, which is pinned; see docs/decisions/0006.
declare module 'kafkajs/src/cluster/index.js' {
  export interface FetchedMessage {
    readonly offset: string;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: Readonly<Record<string, Buffer | readonly Buffer[]>>;
    readonly isControlRecord: boolean;
  }

  export interface ReadingBroker {
    fetch(request: {
      readonly isolationLevel: 0 | 1;
      readonly maxWaitTime: number;
      readonly minBytes: number;
      readonly maxBytes: number;
      readonly topics: readonly {
        readonly topic: string;
        readonly partitions: readonly {
          readonly partition: number;
          readonly fetchOffset: string;
          readonly maxBytes: number;
        }[];
      }[];
    }): Promise<{
      readonly responses: readonly {
        readonly topicName: string;
        readonly partitions: readonly { readonly partition: number; readonly messages: FetchedMessage[] }[];
      }[];
    }>;
  }

  export default class Cluster {
    constructor(options: object);
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    /** Reads the metadata of the topics. Rejects where one of them is not there, or may not be seen. */
    addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
    findTopicPartitionMetadata(
      topic: string,
    ): readonly { readonly partitionId: number; readonly leader: number }[];
    findBroker(node: { readonly nodeId: number }): Promise<ReadingBroker>;
    fetchTopicsOffset(
      topics: readonly {
        readonly topic: string;
        readonly partitions: readonly { readonly partition: number }[];
        readonly fromBeginning: boolean;
      }[],
    ): Promise<
      readonly { readonly topic: string; readonly partitions: readonly { readonly offset: string }[] }[]
    >;
  }
}

declare module 'kafkajs/src/network/requestQueue/index.js' {
  export default class RequestQueue {
    readonly pending: readonly unknown[];
    /** Plans the next look at requests that wait. */
    scheduleCheckPendingRequests(): void;
  }
}
