import type { Migration } from '@countersign/storage';

/** The schema, in steps that are never edited once released: a change is a further step. */
export const migrations: readonly Migration[] = [
  {
    id: 1,
    sql: `
      -- What happened to each aggregate; the only truth. Every other table but the contents can be rebuilt from it.
      create table happening (
        stream text not null,
        version integer not null check (version > 0),
        position bigint generated always as identity,
        data jsonb not null,
        recorded_at timestamptz not null default now(),
        primary key (stream, version)
      );

      -- Events to publish, written in the transaction of what they tell; a row goes when the event log has it.
      create table outbox (
        position bigint generated always as identity primary key,
        id uuid not null unique,
        stream text not null,
        draft text not null,
        sealed boolean not null default false
      );
      create index outbox_stream on outbox (stream);
      create index outbox_waiting on outbox (position) where not sealed;

      -- Sealed bytes that the event log may or may not have: resent as they are until it says so.
      create table journal (
        position bigint generated always as identity primary key,
        producer text not null,
        event uuid not null,
        value bytea not null,
        signature bytea
      );
      create unique index journal_event on journal (event);

      create table principal (
        id text primary key,
        kind text not null check (kind in ('agent', 'person')),
        roles text[] not null,
        status text not null,
        key jsonb not null,
        thumbprint text not null,
        enrolled_at bigint not null,
        enrolled_by text not null,
        check (kind = 'person' or roles = '{}')
      );
      -- Every key that ever stood for a principal, for ever: no key can stand for a second one.
      create table principal_key (
        thumbprint text primary key,
        principal text not null,
        kind text not null
      );

      create table access_grant (
        id text primary key,
        position bigint generated always as identity unique,
        status text not null,
        agent text not null,
        on_behalf_of text not null,
        target text not null,
        role text not null,
        expires_at bigint not null,
        requested_at bigint not null,
        requested_by text not null,
        decided_at bigint,
        decided_by text
      );
      create index access_grant_open on access_grant (expires_at) where status in ('requested', 'active');

      create table approval (
        id text primary key,
        position bigint generated always as identity unique,
        binding_digest text not null,
        status text not null,
        agent text not null,
        on_behalf_of text not null,
        target text not null,
        role text not null,
        access_grant text not null,
        profile text not null,
        policy_digest text not null,
        action text not null,
        session text not null,
        facts json not null,
        reason text not null,
        rules text[] not null,
        requested_at bigint not null,
        expires_at bigint not null,
        decided_at bigint,
        approver text,
        ended_at bigint
      );
      -- At most one open approval for one exact action.
      create unique index approval_open on approval (binding_digest) where status in ('pending', 'approved');
      create index approval_binding on approval (binding_digest, position desc);
      create index approval_expiry on approval (expires_at) where status in ('pending', 'approved');
      create index approval_status on approval (status, position desc);

      -- Statements with their literals, each under a key of its own; without the wrapped key the rest is noise.
      create table approval_content (
        approval text primary key,
        wrapped_key bytea,
        sealed bytea not null
      );

      -- Client assertions that were used, until they expire: each is good once.
      create table used_assertion (
        digest bytea primary key,
        expires_at bigint not null
      );
      create index used_assertion_expiry on used_assertion (expires_at);

      -- Public halves of the keys that sign tokens; a retired one stays published while its tokens live.
      create table token_key (
        id text primary key,
        key jsonb not null,
        retired_at bigint
      );
    `,
  },
  {
    id: 2,
    sql: `
      -- Whether the gateway was told of a denial: until then the same action is not asked for anew.
      alter table approval add column told boolean not null default false;
    `,
  },
];
