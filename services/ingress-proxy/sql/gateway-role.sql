-- The gateway's own role at a target: the last line of defence, which holds even where analysis of a statement errs.
--
-- Run it in the target's database as a superuser, on one connection, after setting what it reads:
--   SELECT set_config('countersign.role', 'countersign_gateway', false),
--          set_config('countersign.password', '…', false),        -- best a SCRAM-SHA-256 verifier; empty for none
--          set_config('countersign.schemas', 'shop,public', false); -- vetted schemas, in the order of the search path
-- Run it again after tables, functions or schemas were added. It takes rights from PUBLIC that agents must not have;
-- roles that exist now and log in keep them by a grant of their own.

-- The role itself: it may log in, and that is all.
DO $$
DECLARE
  gateway text := current_setting('countersign.role');
  secret text := nullif(current_setting('countersign.password', true), '');
  membership record;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = gateway) THEN
    EXECUTE format('CREATE ROLE %I', gateway);
  END IF;
  EXECUTE format(
    'ALTER ROLE %I LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT PASSWORD %L',
    gateway, secret);
  FOR membership IN
    SELECT granted.rolname FROM pg_auth_members m
      JOIN pg_roles granted ON granted.oid = m.roleid
      JOIN pg_roles member ON member.oid = m.member
     WHERE member.rolname = gateway
  LOOP
    EXECUTE format('REVOKE %I FROM %I', membership.rolname, gateway);
  END LOOP;
  IF EXISTS (SELECT FROM pg_class WHERE relowner = gateway::regrole)
     OR EXISTS (SELECT FROM pg_proc WHERE proowner = gateway::regrole)
     OR EXISTS (SELECT FROM pg_namespace WHERE nspowner = gateway::regrole) THEN
    RAISE EXCEPTION 'The role of the gateway owns objects; it must own nothing.';
  END IF;
END $$;

-- What PUBLIC may do by default and an agent may not: roles that exist keep it, the gateway does not get it.
DO $$
DECLARE
  gateway text := current_setting('countersign.role');
  others text;
  schema_name text;
  routine regprocedure;
  language_name text;
  relation_name text;
BEGIN
  SELECT string_agg(format('%I', rolname), ', ') INTO others
    FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND rolname <> gateway;

  EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM %I', current_database(), gateway);
  IF others IS NOT NULL THEN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %s', current_database(), others);
  END IF;

  FOR schema_name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)' LOOP
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', schema_name);
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM %I', schema_name, gateway);
  END LOOP;

  -- Code of one's own: functions cannot be created without a schema, and blocks not without a language.
  FOR language_name IN SELECT lanname FROM pg_language WHERE lanname NOT IN ('internal', 'c') LOOP
    EXECUTE format('REVOKE USAGE ON LANGUAGE %I FROM PUBLIC', language_name);
    IF others IS NOT NULL AND (SELECT lanpltrusted FROM pg_language WHERE lanname = language_name) THEN
      EXECUTE format('GRANT USAGE ON LANGUAGE %I TO %s', language_name, others);
    END IF;
  END LOOP;

  -- Functions that reach files, large objects, other servers, other sessions or the log, run text as SQL, or run with the
  -- rights of their owner.
  FOR routine IN
    SELECT p.oid::regprocedure FROM pg_proc p
      JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE p.proname ~ '^(lo_|be_lo_|pg_read_|pg_ls_|pg_stat_file|pg_file_|dblink|postgres_fdw|pg_logical_|pg_create_|pg_drop_replication|pg_replication_|pg_export_snapshot|pg_current_logfile)'
        OR p.proname IN ('loread', 'lowrite', 'pg_terminate_backend', 'pg_cancel_backend', 'pg_reload_conf',
                         'pg_rotate_logfile', 'pg_switch_wal', 'pg_notify', 'pg_stat_get_activity',
                         'pg_stat_get_backend_activity', 'pg_log_backend_memory_contexts', 'ts_stat', 'pg_promote',
                         'query_to_xml', 'query_to_xmlschema', 'query_to_xml_and_xmlschema', 'cursor_to_xml',
                         'cursor_to_xmlschema', 'table_to_xml', 'table_to_xmlschema', 'table_to_xml_and_xmlschema',
                         'schema_to_xml', 'schema_to_xmlschema', 'schema_to_xml_and_xmlschema', 'database_to_xml',
                         'database_to_xmlschema', 'database_to_xml_and_xmlschema')
        OR (p.proname = 'ts_rewrite' AND p.pronargs = 2)
        OR (p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema'))
  LOOP
    IF has_function_privilege('public', routine, 'EXECUTE') THEN
      EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', routine);
      IF others IS NOT NULL THEN
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', routine, others);
      END IF;
    END IF;
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM %I', routine, gateway);
  END LOOP;

  -- Views of the server that show values of rows (statistics) or what other agents ask.
  FOREACH relation_name IN ARRAY ARRAY['pg_stats', 'pg_stats_ext', 'pg_stats_ext_exprs', 'pg_stat_activity'] LOOP
    EXECUTE format('REVOKE SELECT ON pg_catalog.%I FROM PUBLIC', relation_name);
    IF others IS NOT NULL THEN
      EXECUTE format('GRANT SELECT ON pg_catalog.%I TO %s', relation_name, others);
    END IF;
  END LOOP;
END $$;

-- What it may do: read and write rows in the vetted schemas.
DO $$
DECLARE
  gateway text := current_setting('countersign.role');
  schemas text[] := string_to_array(current_setting('countersign.schemas'), ',');
  schema_name text;
  path text;
BEGIN
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), gateway);
  FOREACH schema_name IN ARRAY schemas LOOP
    schema_name := trim(schema_name);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', schema_name, gateway);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', schema_name, gateway);
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO %I', schema_name, gateway);
  END LOOP;
  SELECT string_agg(format('%I', trim(name)), ', ' ORDER BY place) INTO path
    FROM unnest(schemas) WITH ORDINALITY AS vetted (name, place);
  EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path = pg_catalog, %s, pg_temp',
                 gateway, current_database(), path);
END $$;
