-- The evidence log and what is derived from it. Leaves and tiles are only ever added; retention may later empty
-- `value`, never delete a row.

-- One row: the fence of the single writer. A batch that finds another size than it began from changes nothing.
create table evidence.log (
  one boolean primary key default true check (one),
  origin text not null,
  size bigint not null check (size >= 0)
);

create table evidence.leaves (
  index bigint primary key,
  -- The event's own id; for what is no event, the digest of its bytes.
  event_id text not null,
  topic text not null,
  key text not null,
  -- The exact bytes that the tree holds.
  value bytea not null,
  -- SHA-256 of the event log's bytes: with event_id, what makes two deliveries one event.
  hash bytea not null check (length(hash) = 32),
  signature bytea check (length(signature) = 64),
  -- First leaf of the same event id, where this is not it: a fork.
  repeats bigint,
  ingested_at timestamptz not null default now()
);
create unique index leaves_event on evidence.leaves (event_id, hash);

-- Hash tiles (C2SP tlog-tiles). The last tile of a level grows in place: each partial tile is a prefix of it.
create table evidence.tiles (
  level smallint not null,
  index bigint not null,
  bytes bytea not null check (length(bytes) between 32 and 8192 and length(bytes) % 32 = 0),
  primary key (level, index)
);
-- Hashes do not compress.
alter table evidence.tiles alter column bytes set storage external;

create table evidence.checkpoints (
  size bigint primary key,
  note text not null,
  created_at timestamptz not null,
  -- At most one a second is kept; the newest is there until the next one comes.
  kept boolean not null
);

create table evidence.positions (
  topic text not null,
  partition integer not null,
  position text not null,
  primary key (topic, partition)
);

-- A new version of the fold has its own rows beside the old.
create table evidence.folds (
  version text primary key,
  size bigint not null,
  records bigint not null,
  state text not null
);

create table evidence.records (
  fold text not null references evidence.folds,
  -- Order of the fold, from 0 without gaps.
  sequence bigint not null,
  id text not null,
  kind text not null,
  index bigint not null,
  time timestamptz not null,
  agent text,
  on_behalf_of text,
  target text,
  verdict text,
  finding text,
  -- Canonical JSON of the record.
  value text not null,
  primary key (fold, sequence),
  unique (fold, id)
);
create index records_kind on evidence.records (fold, kind, sequence);
create index records_agent on evidence.records (fold, agent, sequence) where agent is not null;
create index records_target on evidence.records (fold, target, sequence) where target is not null;
create index records_verdict on evidence.records (fold, verdict, sequence) where verdict is not null;
create index records_time on evidence.records (fold, time, sequence);

create table evidence.record_controls (
  fold text not null,
  control text not null,
  sequence bigint not null,
  relation text not null,
  primary key (fold, control, sequence),
  foreign key (fold, sequence) references evidence.records
);

-- Counts by kind, verdict, control and finding, kept with each batch so that nobody has to count.
create table evidence.counters (
  fold text not null references evidence.folds,
  dimension text not null,
  name text not null,
  count bigint not null,
  primary key (fold, dimension, name)
);

-- Findings to tell of, once each. Those of absence come here when they have lasted.
create table evidence.announcements (
  finding text primary key,
  value text not null,
  announced boolean not null default false
);
create index announcements_due on evidence.announcements (finding) where not announced;
