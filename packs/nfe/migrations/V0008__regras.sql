-- What no single row can show: states, completeness, the number and the key, what may no longer change.

-- Functions are few, short, and texts rather than RETURN: what a text calls is looked for when it is called,
-- not when it is made, and a text takes less room. PostgreSQL finds a function by reading those of its name
-- in all schemas, so each look-up makes a new tenant dearer the more tenants there are.

-- SET search_path FROM CURRENT: whatever the session's search_path is, and whatever temporary tables it
-- has, a trigger finds the tables of its own schema.

-- 31 December of the fifth year after the one of a time.
CREATE FUNCTION nfe_reter_ate(momento timestamptz, fuso smallint) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT make_date(extract(year FROM momento AT TIME ZONE 'UTC' + fuso * INTERVAL '1 hour')::integer + 5, 12, 31)
$$;

-- Whether the last day of a row has ended everywhere. The session's time zone, by which current_date
-- goes, is whatever the session says.
CREATE FUNCTION nfe_retencao_acabou(ate date) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT ate < (now() AT TIME ZONE 'UTC' - INTERVAL '12 hours')::date
$$;

-- Whether a statement comes from a trigger of these tables. Where a role may make temporary tables, it
-- can make a trigger on one, which counts as much, and so does that of a foreign key between two, whose
-- update may call any function in a CHECK: so none counts while a temporary table has a trigger of any kind.
CREATE FUNCTION nfe_vem_de_gatilho() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF pg_trigger_depth() < 2 OR pg_my_temp_schema() = 0 THEN
        RETURN pg_trigger_depth() >= 2;
    END IF;
    RETURN NOT EXISTS (
        SELECT FROM pg_depend d JOIN pg_trigger t ON t.tgrelid = d.objid
        WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = pg_my_temp_schema()
          AND d.classid = 'pg_class'::regclass);
END
$$;

-- A rule that reads other rows must see what was committed before its statement. In the isolation
-- levels with one snapshot for a whole transaction it does not, and a lock that another session held
-- leaves no trace for it. SERIALIZABLE finds that out only if every other session is serializable too.
CREATE FUNCTION nfe_exigir_read_committed(regra text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        RAISE invalid_transaction_state USING
            MESSAGE = format('%s: nao em %s', regra, upper(current_setting('transaction_isolation'))),
            DETAIL = 'A regra le outras linhas, e esta transacao nao ve as que mudaram desde que comecou.',
            HINT = 'Use BEGIN ISOLATION LEVEL READ COMMITTED.';
    END IF;
END
$$;

-- The 43 digits of the key before its check digit. Year and month are those of the place of emission.
CREATE FUNCTION nfe_chave_base(documento nfe) RETURNS text
LANGUAGE sql STABLE
AS $$
    SELECT documento.c_uf
        || to_char(documento.dh_emi AT TIME ZONE 'UTC' + documento.dh_emi_fuso * INTERVAL '1 hour', 'YYMM')
        || lpad(coalesce(e.cnpj, e.cpf), 14, '0') || documento.mod
        || lpad(documento.serie::text, 3, '0') || lpad(documento.n_nf::text, 9, '0')
        || documento.tp_emis || documento.c_nf
    FROM nfe_emitente AS e
    WHERE e.nfe_id = documento.id
$$;

-- A range is given up from the moment that the authority is asked until it refuses.
CREATE FUNCTION nfe_inutilizacao_vale(c_stat text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT coalesce(c_stat = '102', true)
$$;

-- Whether a document has a number that was given up; a range has 10000 numbers at most.
CREATE FUNCTION nfe_numero_inutilizado(documento nfe) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (
        SELECT FROM nfe_inutilizacao AS i
        WHERE i.empresa_id = documento.empresa_id AND i.tp_amb = documento.tp_amb
          AND i.mod = documento.mod AND i.serie = documento.serie
          AND i.n_nf_ini BETWEEN documento.n_nf - 9999 AND documento.n_nf AND i.n_nf_fin >= documento.n_nf
          AND nfe_inutilizacao_vale(i.c_stat)
    )
$$;

-- Gives a draft its number, random code and key; a rejected document keeps its number and gets its
-- key anew. The row of the series stays locked until the transaction ends, so that two sessions
-- never get one number and none is lost unless a transaction is. Voided numbers are passed over,
-- those that the authority was asked to void and has not answered for, and those that a document
-- brought along from elsewhere or got before the series was set back.
CREATE FUNCTION nfe_numerar(documento_id uuid) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    documento nfe;
    proximo   integer;
    ultimo    integer;
    base      text;
BEGIN
    SELECT * INTO documento FROM nfe WHERE id = documento_id FOR UPDATE;
    IF documento.status IS DISTINCT FROM 'CRIADA' THEN
        RAISE check_violation
            USING MESSAGE = format('documento %s nao existe ou nao esta CRIADA', documento_id);
    END IF;
    IF documento.n_nf IS NULL THEN
        SELECT s.proximo_numero INTO proximo
        FROM empresa_series AS s
        WHERE s.empresa_id = documento.empresa_id AND s.tp_amb = documento.tp_amb
          AND s.mod = documento.mod AND s.serie = documento.serie
        FOR UPDATE;
        IF NOT FOUND THEN
            RAISE no_data_found USING MESSAGE = format('empresa sem serie %s', documento.serie);
        END IF;
        LOOP
            SELECT max(i.n_nf_fin) INTO ultimo
            FROM nfe_inutilizacao AS i
            WHERE i.empresa_id = documento.empresa_id AND i.tp_amb = documento.tp_amb
              AND i.mod = documento.mod AND i.serie = documento.serie
              AND i.n_nf_ini BETWEEN proximo - 9999 AND proximo AND i.n_nf_fin >= proximo
              AND nfe_inutilizacao_vale(i.c_stat);
            IF ultimo IS NULL THEN
                SELECT n.n_nf INTO ultimo FROM nfe AS n
                WHERE n.empresa_id = documento.empresa_id AND n.tp_amb = documento.tp_amb
                  AND n.mod = documento.mod AND n.serie = documento.serie AND n.n_nf = proximo;
            END IF;
            EXIT WHEN ultimo IS NULL;
            proximo := ultimo + 1;
        END LOOP;
        UPDATE empresa_series AS s SET proximo_numero = proximo + 1
        WHERE s.empresa_id = documento.empresa_id AND s.tp_amb = documento.tp_amb
          AND s.mod = documento.mod AND s.serie = documento.serie;
        documento.n_nf := proximo;
        LOOP
            documento.c_nf := lpad(
                ((hashtext(gen_random_uuid()::text)::bigint & 2147483647) % 100000000)::text, 8, '0');
            EXIT WHEN documento.c_nf::integer <> documento.n_nf
                AND documento.c_nf <> repeat(left(documento.c_nf, 1), 8);
        END LOOP;
    END IF;
    base := nfe_chave_base(documento);
    IF base IS NULL THEN
        RAISE check_violation USING MESSAGE = 'documento sem emitente';
    END IF;
    UPDATE nfe
    SET n_nf = documento.n_nf, c_nf = documento.c_nf, c_dv = right(com_dv(base), 1),
        chave_acesso = com_dv(base)
    WHERE id = documento_id;
    RETURN documento.n_nf;
END
$$;

-- The same for one item: each choice of the layout that spans tables.
CREATE FUNCTION nfe_item_problemas(item nfe_item) RETURNS SETOF text
LANGUAGE sql STABLE
AS $$
    SELECT 'sem imposto'
    WHERE NOT EXISTS (SELECT FROM nfe_item_imposto AS i WHERE (i.nfe_id, i.n_item) = (item.nfe_id, item.n_item))
    UNION ALL
    SELECT 'produto especifico difere do grupo informado'
    FROM (VALUES
        ('veicProd', EXISTS (SELECT FROM nfe_item_veiculo AS p
         WHERE (p.nfe_id, p.n_item) = (item.nfe_id, item.n_item))),
        ('med', EXISTS (SELECT FROM nfe_item_medicamento AS p
         WHERE (p.nfe_id, p.n_item) = (item.nfe_id, item.n_item))),
        ('arma', EXISTS (SELECT FROM nfe_item_arma AS p
         WHERE (p.nfe_id, p.n_item) = (item.nfe_id, item.n_item))),
        ('comb', EXISTS (SELECT FROM nfe_item_combustivel AS p
         WHERE (p.nfe_id, p.n_item) = (item.nfe_id, item.n_item))),
        ('nRECOPI', EXISTS (SELECT FROM nfe_item_papel AS p
         WHERE (p.nfe_id, p.n_item) = (item.nfe_id, item.n_item)))
    ) AS p (grupo, existe)
    WHERE p.existe <> (coalesce(item.produto_especifico, '') = p.grupo)
    UNION ALL
    SELECT 'observacao sem tem_obs_item'
    WHERE NOT item.tem_obs_item
      AND EXISTS (SELECT FROM nfe_item_observacao AS o WHERE (o.nfe_id, o.n_item) = (item.nfe_id, item.n_item))
    UNION ALL
    SELECT 'DI sem adicao' FROM nfe_item_di AS d
    WHERE (d.nfe_id, d.n_item) = (item.nfe_id, item.n_item)
      AND NOT EXISTS (SELECT FROM nfe_item_di_adicao AS a
                      WHERE (a.nfe_id, a.n_item, a.ordem) = (d.nfe_id, d.n_item, d.ordem))
    UNION ALL
    SELECT 'impostos diferem do grupo ' || coalesce(i.grupo, 'nenhum')
    FROM nfe_item_imposto AS i,
         LATERAL (SELECT
             EXISTS (SELECT FROM nfe_item_icms AS x WHERE (x.nfe_id, x.n_item) = (i.nfe_id, i.n_item)),
             EXISTS (SELECT FROM nfe_item_icms_monofasico AS x WHERE (x.nfe_id, x.n_item) = (i.nfe_id, i.n_item)),
             EXISTS (SELECT FROM nfe_item_issqn AS x WHERE (x.nfe_id, x.n_item) = (i.nfe_id, i.n_item)),
             EXISTS (SELECT FROM nfe_item_ii AS x WHERE (x.nfe_id, x.n_item) = (i.nfe_id, i.n_item)),
             EXISTS (SELECT FROM nfe_item_ipi AS x WHERE (x.nfe_id, x.n_item) = (i.nfe_id, i.n_item))
         ) AS x (icms, mono, issqn, ii, ipi)
    WHERE (i.nfe_id, i.n_item) = (item.nfe_id, item.n_item)
      AND CASE i.grupo
              WHEN 'ICMS' THEN x.icms = x.mono OR x.issqn
              WHEN 'ISSQN' THEN NOT x.issqn OR x.icms OR x.mono OR x.ii
              ELSE x.icms OR x.mono OR x.issqn OR x.ii OR x.ipi END
    UNION ALL
    SELECT 'IBSCBS difere do grupo ' || coalesce(b.grupo, 'nenhum')
    FROM nfe_item_ibscbs AS b,
         LATERAL (VALUES
             ('gIBSCBS', (SELECT count(*) FROM nfe_item_ibscbs_tributo AS x
              WHERE (x.nfe_id, x.n_item) = (b.nfe_id, b.n_item)), 3),
             ('gIBSCBSMono', (SELECT count(*) FROM nfe_item_ibscbs_mono AS x
              WHERE (x.nfe_id, x.n_item) = (b.nfe_id, b.n_item)), 1),
             ('gTransfCred', (SELECT count(*) FROM nfe_item_ibscbs_transf_cred AS x
              WHERE (x.nfe_id, x.n_item) = (b.nfe_id, b.n_item)), 1),
             ('gAjusteCompet', (SELECT count(*) FROM nfe_item_ibscbs_ajuste_compet AS x
              WHERE (x.nfe_id, x.n_item) = (b.nfe_id, b.n_item)), 1)
         ) AS x (grupo, linhas, esperadas)
    WHERE (b.nfe_id, b.n_item) = (item.nfe_id, item.n_item)
      AND x.linhas <> CASE WHEN b.grupo = x.grupo THEN x.esperadas ELSE 0 END
    UNION ALL
    SELECT 'IBSCBS com os dois creditos presumidos' FROM nfe_item_ibscbs_cred_pres AS c
    WHERE (c.nfe_id, c.n_item) = (item.nfe_id, item.n_item)
      AND EXISTS (SELECT FROM nfe_item_ibscbs_cred_pres_zfm AS z WHERE (z.nfe_id, z.n_item) = (c.nfe_id, c.n_item))
$$;

-- What keeps a document from being signed; nothing when it is complete.
CREATE FUNCTION nfe_problemas(documento nfe) RETURNS SETOF text
LANGUAGE sql STABLE
AS $$
    SELECT 'sem emitente' WHERE NOT EXISTS (SELECT FROM nfe_emitente WHERE nfe_id = documento.id)
    UNION ALL
    SELECT 'emitente difere da empresa'
    FROM nfe_emitente AS e JOIN empresas AS m ON m.id = documento.empresa_id
    WHERE e.nfe_id = documento.id AND (e.cnpj IS DISTINCT FROM m.cnpj OR e.cpf IS DISTINCT FROM m.cpf)
    UNION ALL
    SELECT 'destinatario com CNPJ ou CPF invalido' FROM nfe_destinatario
    WHERE nfe_id = documento.id
      AND (cnpj = '00000000000000' OR cnpj <> com_dv(left(cnpj, 12))
           OR cpf = repeat(left(cpf, 1), 11) OR cpf <> com_dv(left(cpf, 9)))
    UNION ALL
    SELECT 'sem totais' WHERE NOT EXISTS (SELECT FROM nfe_total_icms WHERE nfe_id = documento.id)
    UNION ALL
    SELECT 'sem transporte' WHERE NOT EXISTS (SELECT FROM nfe_transporte WHERE nfe_id = documento.id)
    UNION ALL
    SELECT 'sem pagamento' WHERE NOT EXISTS (SELECT FROM nfe_pagamento WHERE nfe_id = documento.id)
    UNION ALL
    SELECT 'sem itens' WHERE NOT EXISTS (SELECT FROM nfe_item WHERE nfe_id = documento.id)
    UNION ALL
    SELECT 'chave difere dos dados'
    WHERE documento.chave_acesso IS DISTINCT FROM nfe_chave_base(documento) || documento.c_dv
    UNION ALL
    SELECT 'numero inutilizado' WHERE nfe_numero_inutilizado(documento)
    UNION ALL
    SELECT 'cobranca sem tem_cobr'
    WHERE NOT documento.tem_cobr
      AND (EXISTS (SELECT FROM nfe_fatura WHERE nfe_id = documento.id)
           OR EXISTS (SELECT FROM nfe_duplicata WHERE nfe_id = documento.id))
    UNION ALL
    SELECT 'agropecuario sem tem_agropecuario, ou defensivo e guia juntos'
    FROM (SELECT EXISTS (SELECT FROM nfe_defensivo WHERE nfe_id = documento.id),
                 EXISTS (SELECT FROM nfe_guia_transito WHERE nfe_id = documento.id)) AS a (defensivo, guia)
    WHERE (defensivo OR guia) AND NOT documento.tem_agropecuario OR defensivo AND guia
    UNION ALL
    SELECT 'transporte: veiculos sem o grupo rodoviario, ou o contrario' FROM nfe_transporte AS t
    WHERE t.nfe_id = documento.id
      AND (coalesce(t.grupo, '') = 'rodoviario')
          <> EXISTS (SELECT FROM nfe_transporte_veiculo AS v WHERE v.nfe_id = t.nfe_id)
    UNION ALL
    SELECT 'referencias com a mesma ordem'
    FROM (SELECT ordem FROM nfe_ref_chave WHERE nfe_id = documento.id
          UNION ALL SELECT ordem FROM nfe_ref_nf WHERE nfe_id = documento.id
          UNION ALL SELECT ordem FROM nfe_ref_nf_produtor WHERE nfe_id = documento.id
          UNION ALL SELECT ordem FROM nfe_ref_ecf WHERE nfe_id = documento.id) AS r
    GROUP BY ordem HAVING count(*) > 1
    UNION ALL
    SELECT 'cana sem dia' FROM nfe_cana AS c
    WHERE c.nfe_id = documento.id AND NOT EXISTS (SELECT FROM nfe_cana_dia AS d WHERE d.nfe_id = c.nfe_id)
    UNION ALL
    SELECT format('item %s: %s', item.n_item, problema)
    FROM nfe_item AS item, LATERAL nfe_item_problemas(item) AS problema
    WHERE item.nfe_id = documento.id
$$;

-- The moves that a document may make.
CREATE FUNCTION nfe_transicao_permitida(de status_nfe, para status_nfe) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT para = ANY (CASE de
        WHEN 'CRIADA' THEN '{ASSINADA, INUTILIZADA}'::status_nfe[]
        WHEN 'ASSINADA' THEN '{CRIADA, ENVIADA}'::status_nfe[]
        WHEN 'ENVIADA' THEN '{CRIADA, PROCESSANDO, INUTILIZADA}'::status_nfe[]
        WHEN 'PROCESSANDO' THEN '{AUTORIZADA, REJEITADA, DENEGADA, INUTILIZADA}'::status_nfe[]
        WHEN 'AUTORIZADA' THEN '{CANCELADA}'::status_nfe[]
        WHEN 'REJEITADA' THEN '{CRIADA, INUTILIZADA}'::status_nfe[]
        ELSE '{}'::status_nfe[] END)
$$;

-- The answers by which a document is rejected, as far as they are known. Not among them: that it was
-- denied (205, 301 to 303), is cancelled (218), is there already or is being looked at (204, 539, 635),
-- was not found (217), that too much is asked (656), and errors without a name (999). After those and
-- after unknown ones the document is asked for again.
CREATE FUNCTION nfe_rejeicao(c_stat text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT c_stat::integer <@ int4multirange '{
        [201,204), [206,217), [219,300), [304,305), [315,371), [372,377), [378,400), [401,412),
        [416,419), [420,421), [450,456), [461,469), [471,472), [476,495), [496,497), [501,539), [540,566),
        [567,581), [587,635), [650,652), [653,656), [657,659), [660,664), [678,744), [745,747), [748,761),
        [762,797), [798,801), [805,808), [817,818), [1001,1002), [1020,1025), [1026,1027), [1037,1038),
        [1041,1042), [1085,1086), [1091,1092), [1094,1095), [1104,1105), [1115,1116), [1118,1120),
        [1153,1157)}'
$$;

-- How often a document made a move; an answer is good for one.
CREATE FUNCTION nfe_vezes(documento uuid, partida status_nfe, chegada status_nfe) RETURNS bigint
LANGUAGE sql STABLE
AS $$
    SELECT count(*) FROM nfe_status_historico AS h
    WHERE h.nfe_id = documento AND h.de = partida AND h.para = chegada
$$;

-- Whether what a move rests on is there: a signature, an answer of the authority, an event, a voiding.
CREATE FUNCTION nfe_fundamento(documento nfe, de status_nfe) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT CASE documento.status
        WHEN 'ENVIADA' THEN EXISTS (
            SELECT FROM nfe_assinatura AS a
            WHERE a.nfe_id = documento.id AND a.reference_uri = '#NFe' || documento.chave_acesso)
        WHEN 'CRIADA' THEN de <> 'ENVIADA' OR (
            -- The service was down when the newest batch with the document was sent.
            SELECT l.c_stat FROM nfe_lote_documento AS d JOIN nfe_lote AS l ON l.id = d.lote_id
            WHERE d.nfe_id = documento.id ORDER BY l.enviado_em DESC NULLS FIRST LIMIT 1
        ) = ANY ('{108, 109}'::text[]) AND nfe_vezes(documento.id, de, 'CRIADA') < (
            SELECT count(*) FROM nfe_lote_documento AS d JOIN nfe_lote AS l ON l.id = d.lote_id
            WHERE d.nfe_id = documento.id AND l.c_stat = ANY ('{108, 109}'::text[]))
        WHEN 'REJEITADA' THEN nfe_vezes(documento.id, de, 'REJEITADA') < (
            SELECT count(*) FROM nfe_protocolo AS p
            WHERE p.nfe_id = documento.id AND p.tp_amb = documento.tp_amb AND nfe_rejeicao(p.c_stat))
        WHEN 'AUTORIZADA' THEN EXISTS (
            SELECT FROM nfe_protocolo AS p
            WHERE p.nfe_id = documento.id AND p.ch_nfe = documento.chave_acesso
              AND p.tp_amb = documento.tp_amb AND p.c_stat = ANY ('{100, 150}'::text[]) AND p.n_prot IS NOT NULL)
        WHEN 'DENEGADA' THEN EXISTS (
            SELECT FROM nfe_protocolo AS p
            WHERE p.nfe_id = documento.id AND p.ch_nfe = documento.chave_acesso
              AND p.tp_amb = documento.tp_amb AND p.c_stat = ANY ('{110, 301, 302, 303}'::text[]))
        WHEN 'CANCELADA' THEN EXISTS (
            SELECT FROM nfe_evento AS e
            WHERE e.nfe_id = documento.id AND substr(e.id, 9, 44) = documento.chave_acesso
              AND e.tp_evento = ANY ('{110111, 110112}'::text[])
              AND e.c_stat = ANY ('{135, 136, 155}'::text[]) AND e.n_prot IS NOT NULL)
        WHEN 'INUTILIZADA' THEN EXISTS (
            SELECT FROM nfe_inutilizacao AS i
            WHERE i.empresa_id = documento.empresa_id AND i.tp_amb = documento.tp_amb
              AND i.mod = documento.mod AND i.serie = documento.serie
              AND documento.n_nf BETWEEN i.n_nf_ini AND i.n_nf_fin
              AND i.c_stat = '102' AND i.n_prot IS NOT NULL)
        ELSE true END
$$;

CREATE FUNCTION nfe_antes() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    igual    nfe;
    problema text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- One that was rejected and goes its way again has a date, and waits for another answer.
        IF OLD.status = 'CRIADA' AND OLD.n_nf IS NULL OR nfe_retencao_acabou(OLD.reter_ate)
           AND OLD.status NOT IN ('CRIADA', 'ASSINADA', 'ENVIADA', 'PROCESSANDO') THEN
            RETURN OLD;
        END IF;
        RAISE check_violation USING MESSAGE = format(
            'documento %s nao pode ser apagado (%s, reter ate %s)',
            OLD.id, OLD.status, coalesce(OLD.reter_ate::text, 'sem data'));
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'CRIADA' THEN
            RAISE check_violation USING MESSAGE = 'um documento comeca como CRIADA';
        END IF;
        NEW.reter_ate := NULL;
        NEW.autorizada_em := NULL;
        RETURN NEW;
    END IF;
    IF OLD.status <> 'CRIADA' THEN
        igual := NEW;
        igual.status := OLD.status;
        igual.atualizado_em := OLD.atualizado_em;
        igual.reter_ate := OLD.reter_ate;
        -- The images, not the values: 18.0 and 18.00 are different contents.
        IF igual *<> OLD THEN
            RAISE check_violation USING MESSAGE =
                format('documento %s esta %s: seu conteudo nao muda mais', OLD.id, OLD.status);
        END IF;
    ELSIF OLD.n_nf IS NOT NULL AND (NEW.empresa_id, NEW.tp_amb, NEW.mod, NEW.serie, NEW.n_nf)
          IS DISTINCT FROM (OLD.empresa_id, OLD.tp_amb, OLD.mod, OLD.serie, OLD.n_nf) THEN
        RAISE check_violation USING MESSAGE = format('documento %s: o numero atribuido nao muda', OLD.id);
    END IF;
    NEW.atualizado_em := now();
    -- The date comes with an answer; it can be put off, neither brought forward nor given before that.
    NEW.reter_ate := CASE WHEN OLD.reter_ate IS NOT NULL THEN greatest(NEW.reter_ate, OLD.reter_ate) END;
    NEW.autorizada_em := OLD.autorizada_em;
    IF NEW.status = OLD.status THEN
        RETURN NEW;
    END IF;
    PERFORM nfe_exigir_read_committed('mudanca de estado');
    IF NOT nfe_transicao_permitida(OLD.status, NEW.status) THEN
        RAISE check_violation USING MESSAGE = format(
            'documento %s: de %s para %s nao e permitido', OLD.id, OLD.status, NEW.status);
    ELSIF NOT coalesce(nfe_fundamento(NEW, OLD.status), false) THEN
        RAISE check_violation USING MESSAGE = format(
            'documento %s: falta aquilo em que %s se apoia', OLD.id, NEW.status);
    ELSIF NEW.status = 'ASSINADA' THEN
        SELECT string_agg(p, '; ') INTO problema FROM nfe_problemas(NEW) AS p;
        IF problema IS NOT NULL THEN
            RAISE check_violation USING MESSAGE = format('documento %s: %s', OLD.id, problema);
        END IF;
    ELSIF NEW.status IN ('AUTORIZADA', 'DENEGADA') THEN
        -- The lock that a voiding takes: none comes in between this check and the end of the transaction.
        PERFORM FROM empresa_series AS s
        WHERE s.empresa_id = NEW.empresa_id AND s.tp_amb = NEW.tp_amb AND s.mod = NEW.mod AND s.serie = NEW.serie
        FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RAISE no_data_found USING MESSAGE = format('empresa sem serie %s', NEW.serie);
        ELSIF nfe_numero_inutilizado(NEW) THEN
            RAISE check_violation USING MESSAGE = format('documento %s: numero inutilizado', OLD.id);
        END IF;
    END IF;
    NEW.reter_ate := greatest(NEW.reter_ate, CASE
        WHEN NEW.status IN ('AUTORIZADA', 'DENEGADA', 'CANCELADA', 'INUTILIZADA')
            THEN greatest(nfe_reter_ate(NEW.dh_emi, NEW.dh_emi_fuso), nfe_reter_ate(now(), NEW.dh_emi_fuso))
        WHEN NEW.status = 'REJEITADA' THEN (now() AT TIME ZONE 'UTC' + INTERVAL '3 years')::date
    END);
    IF NEW.status = 'AUTORIZADA' THEN
        NEW.autorizada_em := now();
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION nfe_depois() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    INSERT INTO nfe_status_historico (nfe_id, de, para, motivo, usuario)
    VALUES (NEW.id, CASE TG_OP WHEN 'UPDATE' THEN OLD.status END, NEW.status,
            nullif(current_setting('nfe.motivo', true), ''),
            coalesce(nullif(current_setting('nfe.usuario', true), ''),
                     nullif(current_setting('role'), 'none'), session_user));
    -- What was signed may change now: it is signed again.
    IF TG_OP = 'UPDATE' AND NEW.status = 'CRIADA' THEN
        DELETE FROM nfe_assinatura WHERE nfe_id = NEW.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER nfe_antes BEFORE INSERT OR UPDATE OR DELETE ON nfe
    FOR EACH ROW EXECUTE FUNCTION nfe_antes();
CREATE TRIGGER nfe_depois_de_criar AFTER INSERT ON nfe
    FOR EACH ROW EXECUTE FUNCTION nfe_depois();
CREATE TRIGGER nfe_depois_de_mudar AFTER UPDATE ON nfe
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION nfe_depois();

-- The history is what nfe_depois writes.
CREATE FUNCTION nfe_historico_derivado() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    IF NOT nfe_vem_de_gatilho() THEN
        RAISE restrict_violation USING MESSAGE = format('%s: so os estados de nfe o escrevem', TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER nfe_historico_derivado BEFORE INSERT ON nfe_status_historico
    FOR EACH STATEMENT EXECUTE FUNCTION nfe_historico_derivado();

CREATE FUNCTION tocar_atualizado_em() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.atualizado_em := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER tocar_atualizado_em BEFORE UPDATE ON empresas
    FOR EACH ROW EXECUTE FUNCTION tocar_atualizado_em();
CREATE TRIGGER tocar_atualizado_em BEFORE UPDATE ON pessoas
    FOR EACH ROW EXECUTE FUNCTION tocar_atualizado_em();
CREATE TRIGGER tocar_atualizado_em BEFORE UPDATE ON produtos
    FOR EACH ROW EXECUTE FUNCTION tocar_atualizado_em();

-- Content changes while its document is a draft; the states named as arguments allow it too.
-- The document is locked, so that nobody signs it meanwhile; one that is gone is being deleted.
CREATE FUNCTION nfe_conteudo() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    documento uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.nfe_id ELSE NEW.nfe_id END;
    estado    status_nfe;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.nfe_id <> OLD.nfe_id THEN
        RAISE check_violation USING MESSAGE = format('%s: uma linha nao muda de documento', TG_TABLE_NAME);
    END IF;
    SELECT status INTO estado FROM nfe WHERE id = documento FOR SHARE;
    -- TG_ARGV is NULL, not empty, when a trigger has no arguments.
    IF estado <> 'CRIADA' AND coalesce(estado::text <> ALL (TG_ARGV), true) THEN
        RAISE check_violation USING MESSAGE = format(
            '%s: documento %s esta %s: seu conteudo nao muda mais', TG_TABLE_NAME, documento, estado);
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;

-- Events, what they say, and voidings. What an event says is written down before the authority registers it:
-- afterwards it would be a text that the authority never saw. The event is locked, so that it is not
-- registered meanwhile; one that is gone is being deleted. An event or a voiding that is registered stays as
-- it is. The time from which it is kept is ours. The id of an event names its document.
--
-- A voided range is one of the company, holds no number of a document that was answered for, and
-- none of another range. The series is updated and not only locked, so that none of its numbers is
-- given meanwhile: a transaction with an older picture of it fails instead of going by that. A document
-- that is authorised only locks it, which is why the picture here must not be an older one either.
CREATE FUNCTION nfe_servico() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    linha     record := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    protocolo varchar;
BEGIN
    IF TG_TABLE_NAME IN ('nfe_evento_cancelamento', 'nfe_evento_cce') THEN
        SELECT e.n_prot INTO protocolo FROM nfe_evento AS e
        WHERE (e.nfe_id, e.tp_evento, e.n_seq_evento) = (linha.nfe_id, linha.tp_evento, linha.n_seq_evento)
        FOR SHARE;
        IF protocolo IS NOT NULL THEN
            RAISE check_violation USING MESSAGE = format(
                '%s: o evento ja foi registrado, seu conteudo nao muda mais', TG_TABLE_NAME);
        END IF;
        RETURN linha;
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.n_prot IS NOT NULL
       AND NOT (TG_OP = 'DELETE' AND nfe_retencao_acabou(OLD.reter_ate)) THEN
        RAISE check_violation USING MESSAGE = format('%s: ja registrado, nao muda mais', TG_TABLE_NAME);
    ELSIF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    NEW.criado_em := CASE TG_OP WHEN 'INSERT' THEN now() ELSE OLD.criado_em END;
    IF TG_TABLE_NAME = 'nfe_evento' THEN
        IF NOT EXISTS (SELECT FROM nfe AS n
                       WHERE n.id = NEW.nfe_id AND n.chave_acesso = substr(NEW.id, 9, 44)
                         AND n.tp_amb = NEW.tp_amb) THEN
            RAISE check_violation USING MESSAGE = format(
                'nfe_evento: o evento %s nao e do documento %s', NEW.id, NEW.nfe_id);
        END IF;
        RETURN NEW;
    ELSIF TG_TABLE_NAME <> 'nfe_inutilizacao' THEN
        RAISE feature_not_supported USING MESSAGE = format('nfe_servico: %s nao e um servico', TG_TABLE_NAME);
    END IF;
    IF NOT nfe_inutilizacao_vale(NEW.c_stat) THEN
        RETURN NEW;
    END IF;
    PERFORM nfe_exigir_read_committed('nfe_inutilizacao');
    UPDATE empresa_series AS s SET proximo_numero = s.proximo_numero
    WHERE s.empresa_id = NEW.empresa_id AND s.tp_amb = NEW.tp_amb AND s.mod = NEW.mod AND s.serie = NEW.serie;
    IF NOT FOUND THEN
        RAISE no_data_found USING MESSAGE = format('empresa sem serie %s', NEW.serie);
    END IF;
    IF NOT EXISTS (SELECT FROM empresas AS e
                   WHERE e.id = NEW.empresa_id AND e.cnpj::text = NEW.cnpj::text) THEN
        RAISE check_violation USING MESSAGE = 'o CNPJ da inutilizacao difere do da empresa';
    END IF;
    IF EXISTS (SELECT FROM nfe_inutilizacao AS i
               WHERE i.empresa_id = NEW.empresa_id AND i.tp_amb = NEW.tp_amb AND i.mod = NEW.mod
                 AND i.serie = NEW.serie AND i.n_nf_ini <= NEW.n_nf_fin AND i.n_nf_fin >= NEW.n_nf_ini
                 AND nfe_inutilizacao_vale(i.c_stat)
                 AND i.id <> CASE TG_OP WHEN 'UPDATE' THEN OLD.id ELSE '' END) THEN
        RAISE check_violation USING MESSAGE = 'a faixa contem um numero de outra inutilizacao';
    END IF;
    IF EXISTS (SELECT FROM nfe AS n
               WHERE n.empresa_id = NEW.empresa_id AND n.tp_amb = NEW.tp_amb AND n.mod = NEW.mod
                 AND n.serie = NEW.serie AND n.n_nf BETWEEN NEW.n_nf_ini AND NEW.n_nf_fin
                 AND n.status IN ('AUTORIZADA', 'DENEGADA', 'CANCELADA')) THEN
        RAISE check_violation USING MESSAGE = 'a faixa contem um numero ja utilizado';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER nfe_servico BEFORE INSERT OR UPDATE OR DELETE ON nfe_evento
    FOR EACH ROW EXECUTE FUNCTION nfe_servico();
CREATE TRIGGER nfe_servico BEFORE INSERT OR UPDATE OR DELETE ON nfe_evento_cancelamento
    FOR EACH ROW EXECUTE FUNCTION nfe_servico();
CREATE TRIGGER nfe_servico BEFORE INSERT OR UPDATE OR DELETE ON nfe_evento_cce
    FOR EACH ROW EXECUTE FUNCTION nfe_servico();
CREATE TRIGGER nfe_servico BEFORE INSERT OR UPDATE OR DELETE ON nfe_inutilizacao
    FOR EACH ROW EXECUTE FUNCTION nfe_servico();

-- Bytes are only added: those of the application until the document is sent, the answer when it has
-- come, and once more when it was lost; the last of its kind holds. The lock is one session's at a time,
-- so that two do not bring what is missing.
CREATE FUNCTION nfe_xml_a_seu_tempo() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    estado status_nfe;
BEGIN
    IF NEW.tipo = 'nfeProc' THEN
        PERFORM nfe_exigir_read_committed('nfe_xml');
    END IF;
    SELECT status INTO estado FROM nfe WHERE id = NEW.nfe_id FOR NO KEY UPDATE;
    IF (CASE NEW.tipo
           WHEN 'importado' THEN estado = 'CRIADA'
           WHEN 'nfeProc' THEN EXISTS (
               SELECT FROM nfe_protocolo AS p
               WHERE p.nfe_id = NEW.nfe_id AND p.c_stat IN ('100', '150', '110', '301', '302', '303')
           ) AND (estado = 'PROCESSANDO'
                  OR estado IN ('AUTORIZADA', 'DENEGADA', 'CANCELADA')
                     AND NOT EXISTS (SELECT FROM nfe_xml AS x
                                     WHERE x.nfe_id = NEW.nfe_id AND x.tipo = NEW.tipo))
           ELSE estado IN ('CRIADA', 'ASSINADA') END) THEN
        RETURN NEW;
    END IF;
    RAISE check_violation USING MESSAGE = format(
        'nfe_xml: documento %s esta %s, %s nao pode mais ou ainda nao pode vir',
        NEW.nfe_id, estado, NEW.tipo);
END
$$;
CREATE TRIGGER nfe_xml_a_seu_tempo BEFORE INSERT ON nfe_xml
    FOR EACH ROW EXECUTE FUNCTION nfe_xml_a_seu_tempo();

CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_ref_chave
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_ref_nf
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_ref_nf_produtor
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_ref_ecf
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_compra_gov
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_compra_gov_ref
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_pag_antecipado
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_emitente
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_avulsa
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_destinatario
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_local
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_autorizado_xml
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_intermediador
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_info_adicional
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_observacao
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_processo_ref
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_exportacao
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_compra
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_cana
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_cana_dia
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_cana_deducao
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_responsavel_tecnico
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_solicitacao_nff
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_defensivo
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_guia_transito
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_paa
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_suplemento
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo('ASSINADA');
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_assinatura
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo('ASSINADA');
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_cred_presumido
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_di
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_exportacao
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_rastro
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_nff
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_embalagem
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_veiculo
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_medicamento
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_arma
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_combustivel
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_nve
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_papel
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_di_adicao
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_combustivel_cide
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_combustivel_encerrante
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_combustivel_origem
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_observacao
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_dfe_referenciado
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_imposto_devolvido
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_imposto
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_icms
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_icms_monofasico
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_icms_uf_dest
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ipi
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ii
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_issqn
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_pis
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_pis_st
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_cofins
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_cofins_st
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_is
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ibscbs
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ibscbs_tributo
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ibscbs_regular
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ibscbs_compra_gov
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ibscbs_mono
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ibscbs_transf_cred
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ibscbs_ajuste_compet
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ibscbs_estorno_cred
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ibscbs_cred_pres
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ibscbs_cred_pres_zfm
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ibscbs_mono_parcela
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_item_ibscbs_cred_pres_valor
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_total_icms
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_total_issqn
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_total_retencao
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_total_is
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_total_ibscbs
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_total_ibs_ente
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_total_mono
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_transporte
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_transportadora
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_transporte_retencao
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_transporte_veiculo
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_volume
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_volume_lacre
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_fatura
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_duplicata
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_pagamento
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();
CREATE TRIGGER nfe_conteudo BEFORE INSERT OR UPDATE OR DELETE ON nfe_pagamento_cartao
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo();

-- The names that the specification gives to what a list of documents shows.
CREATE VIEW nfe_resumo AS
SELECT n.id, n.empresa_id, n.destinatario_id, n.chave_acesso, n.n_nf AS numero_nf, n.serie, n.mod AS modelo,
       n.tp_amb AS ambiente, n.status, n.dh_emi AS data_emissao, d.x_nome AS destinatario,
       t.v_nf AS valor_total, n.reter_ate, n.criado_em AS created_at, n.atualizado_em AS updated_at
FROM nfe AS n
LEFT JOIN nfe_destinatario AS d ON d.nfe_id = n.id
LEFT JOIN nfe_total_icms AS t ON t.nfe_id = n.id;
