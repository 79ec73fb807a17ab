-- What no single row can show: states, completeness, the number and the key, what may no longer change.

-- 31 December of the fifth year after the one of emission.
CREATE FUNCTION nfe_reter_ate(dh_emi timestamptz, fuso smallint) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN make_date(extract(year FROM dh_emi AT TIME ZONE 'UTC' + fuso * INTERVAL '1 hour')::integer + 5, 12, 31);

-- The 43 digits of the key before its check digit. Year and month are those of the place of emission.
CREATE FUNCTION nfe_chave_base(documento nfe) RETURNS text
LANGUAGE sql STABLE
RETURN (
    SELECT documento.c_uf
        || to_char(documento.dh_emi AT TIME ZONE 'UTC' + documento.dh_emi_fuso * INTERVAL '1 hour', 'YYMM')
        || lpad(coalesce(e.cnpj, e.cpf), 14, '0') || documento.mod
        || lpad(documento.serie::text, 3, '0') || lpad(documento.n_nf::text, 9, '0')
        || documento.tp_emis || documento.c_nf
    FROM nfe_emitente AS e
    WHERE e.nfe_id = documento.id
);

-- Gives a draft its number, random code and key; a rejected document keeps its number and gets its
-- key anew. The row of the series stays locked until the transaction ends, so that two sessions
-- never get one number and none is lost unless a transaction is.
CREATE FUNCTION nfe_numerar(documento_id uuid) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    documento nfe;
    base      text;
BEGIN
    SELECT * INTO documento FROM nfe WHERE id = documento_id FOR UPDATE;
    IF documento.status IS DISTINCT FROM 'CRIADA' THEN
        RAISE check_violation
            USING MESSAGE = format('documento %s nao existe ou nao esta CRIADA', documento_id);
    END IF;
    IF documento.n_nf IS NULL THEN
        UPDATE empresa_series AS s SET proximo_numero = proximo_numero + 1
        WHERE s.empresa_id = documento.empresa_id AND s.tp_amb = documento.tp_amb
          AND s.mod = documento.mod AND s.serie = documento.serie
        RETURNING proximo_numero - 1 INTO documento.n_nf;
        IF NOT FOUND THEN
            RAISE no_data_found USING MESSAGE = format('empresa sem serie %s', documento.serie);
        END IF;
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
    SET n_nf = documento.n_nf, c_nf = documento.c_nf, c_dv = modulo_11(base, 9),
        chave_acesso = base || modulo_11(base, 9)
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
    WHERE nfe_id = documento.id AND (NOT cnpj_valido(cnpj) OR NOT cpf_valido(cpf))
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
RETURN (de, para) IN (
    ('CRIADA', 'ASSINADA'), ('ASSINADA', 'CRIADA'), ('ASSINADA', 'ENVIADA'),
    ('ENVIADA', 'CRIADA'), ('ENVIADA', 'PROCESSANDO'),
    ('PROCESSANDO', 'AUTORIZADA'), ('PROCESSANDO', 'REJEITADA'), ('PROCESSANDO', 'DENEGADA'),
    ('REJEITADA', 'CRIADA'), ('AUTORIZADA', 'CANCELADA'),
    ('CRIADA', 'INUTILIZADA'), ('REJEITADA', 'INUTILIZADA'),
    ('ENVIADA', 'INUTILIZADA'), ('PROCESSANDO', 'INUTILIZADA'));

-- Whether what the new state rests on is there: an answer of the authority, an event, a voiding.
CREATE FUNCTION nfe_fundamento(documento nfe) RETURNS boolean
LANGUAGE sql STABLE
RETURN CASE documento.status
    WHEN 'AUTORIZADA' THEN EXISTS (
        SELECT FROM nfe_protocolo AS p
        WHERE p.nfe_id = documento.id AND p.ch_nfe = documento.chave_acesso
          AND p.tp_amb = documento.tp_amb AND p.c_stat IN ('100', '150') AND p.n_prot IS NOT NULL)
    WHEN 'DENEGADA' THEN EXISTS (
        SELECT FROM nfe_protocolo AS p
        WHERE p.nfe_id = documento.id AND p.ch_nfe = documento.chave_acesso
          AND p.c_stat IN ('110', '301', '302', '303'))
    WHEN 'CANCELADA' THEN EXISTS (
        SELECT FROM nfe_evento AS e
        WHERE e.nfe_id = documento.id AND e.tp_evento IN ('110111', '110112')
          AND e.c_stat IN ('135', '136', '155'))
    WHEN 'INUTILIZADA' THEN EXISTS (
        SELECT FROM nfe_inutilizacao AS i
        WHERE i.empresa_id = documento.empresa_id AND i.tp_amb = documento.tp_amb
          AND i.mod = documento.mod AND i.serie = documento.serie
          AND documento.n_nf BETWEEN i.n_nf_ini AND i.n_nf_fin AND i.c_stat = '102')
    ELSE true END;

CREATE FUNCTION nfe_antes() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    igual    nfe;
    problema text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status = 'CRIADA' AND OLD.n_nf IS NULL OR OLD.reter_ate < current_date THEN
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
    -- The date comes with the state; it can be put off, neither brought forward nor given to a draft.
    NEW.reter_ate := CASE WHEN OLD.reter_ate IS NOT NULL THEN greatest(NEW.reter_ate, OLD.reter_ate) END;
    NEW.autorizada_em := OLD.autorizada_em;
    IF NEW.status = OLD.status THEN
        RETURN NEW;
    END IF;
    IF NOT nfe_transicao_permitida(OLD.status, NEW.status) THEN
        RAISE check_violation USING MESSAGE = format(
            'documento %s: de %s para %s nao e permitido', OLD.id, OLD.status, NEW.status);
    ELSIF NOT nfe_fundamento(NEW) THEN
        RAISE check_violation USING MESSAGE = format(
            'documento %s: falta o protocolo, evento ou inutilizacao para %s', OLD.id, NEW.status);
    ELSIF NEW.status = 'ASSINADA' THEN
        SELECT string_agg(p, '; ') INTO problema FROM nfe_problemas(NEW) AS p;
        IF problema IS NOT NULL THEN
            RAISE check_violation USING MESSAGE = format('documento %s: %s', OLD.id, problema);
        END IF;
    END IF;
    NEW.reter_ate := CASE
        WHEN NEW.status IN ('AUTORIZADA', 'DENEGADA', 'CANCELADA', 'INUTILIZADA')
            THEN greatest(nfe_reter_ate(NEW.dh_emi, NEW.dh_emi_fuso), NEW.reter_ate)
        WHEN NEW.status = 'REJEITADA' THEN (now() AT TIME ZONE 'UTC' + INTERVAL '3 years')::date
    END;
    IF NEW.status = 'AUTORIZADA' THEN
        NEW.autorizada_em := now();
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION nfe_depois() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO nfe_status_historico (nfe_id, de, para, motivo, usuario)
    VALUES (NEW.id, CASE TG_OP WHEN 'UPDATE' THEN OLD.status END, NEW.status,
            nullif(current_setting('nfe.motivo', true), ''),
            coalesce(nullif(current_setting('nfe.usuario', true), ''), session_user));
    RETURN NULL;
END
$$;

CREATE TRIGGER nfe_antes BEFORE INSERT OR UPDATE OR DELETE ON nfe
    FOR EACH ROW EXECUTE FUNCTION nfe_antes();
CREATE TRIGGER nfe_depois_de_criar AFTER INSERT ON nfe
    FOR EACH ROW EXECUTE FUNCTION nfe_depois();
CREATE TRIGGER nfe_depois_de_mudar AFTER UPDATE ON nfe
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION nfe_depois();

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
LANGUAGE plpgsql
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

-- An event or a voiding that the authority has registered stays as it is.
CREATE FUNCTION nfe_registrado() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF OLD.n_prot IS NOT NULL AND NOT (TG_OP = 'DELETE' AND OLD.reter_ate < current_date) THEN
        RAISE check_violation USING MESSAGE = format('%s: ja registrado, nao muda mais', TG_TABLE_NAME);
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER nfe_registrado BEFORE UPDATE OR DELETE ON nfe_evento
    FOR EACH ROW EXECUTE FUNCTION nfe_registrado();
CREATE TRIGGER nfe_registrado BEFORE UPDATE OR DELETE ON nfe_inutilizacao
    FOR EACH ROW EXECUTE FUNCTION nfe_registrado();

-- A voided range may hold no number of a document that was answered for.
CREATE FUNCTION nfe_inutilizacao_livre() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF EXISTS (SELECT FROM nfe AS n
               WHERE n.empresa_id = NEW.empresa_id AND n.tp_amb = NEW.tp_amb AND n.mod = NEW.mod
                 AND n.serie = NEW.serie AND n.n_nf BETWEEN NEW.n_nf_ini AND NEW.n_nf_fin
                 AND n.status IN ('AUTORIZADA', 'DENEGADA', 'CANCELADA')) THEN
        RAISE check_violation USING MESSAGE = 'a faixa contem um numero ja utilizado';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER nfe_inutilizacao_livre BEFORE INSERT ON nfe_inutilizacao
    FOR EACH ROW EXECUTE FUNCTION nfe_inutilizacao_livre();

-- Signed bytes may be replaced until the authority has answered; what is added later is the answer.
CREATE TRIGGER nfe_conteudo BEFORE UPDATE OR DELETE ON nfe_xml
    FOR EACH ROW EXECUTE FUNCTION nfe_conteudo('ASSINADA', 'REJEITADA');
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
