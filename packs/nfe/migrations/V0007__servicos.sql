-- What happens to a document: its XML, its states, batches, protocols, events and checks.

-- Append only: the bytes as signed or received. They are the legal document; the tables are its contents.
-- Of several of one kind the highest ordem holds.
CREATE TABLE nfe_xml (
    nfe_id    uuid        NOT NULL REFERENCES nfe ON DELETE CASCADE,
    tipo      varchar(9)  NOT NULL,
    ordem     tordem_99   NOT NULL DEFAULT 1,
    conteudo  bytea       NOT NULL,
    sha256    bytea       NOT NULL GENERATED ALWAYS AS (pg_catalog.sha256(conteudo)) STORED,
    criado_em timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (nfe_id, tipo, ordem),
    CONSTRAINT nfe_xml_regras CHECK (
        tipo = ANY ('{gerado, assinado, nfeProc, importado}'::text[]) AND length(conteudo) > 0
    )
);

-- Append only, and by the trigger of nfe alone: each state that a document came into.
CREATE TABLE nfe_status_historico (
    id        bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    nfe_id    uuid         NOT NULL REFERENCES nfe ON DELETE CASCADE,
    de        status_nfe,
    para      status_nfe   NOT NULL,
    motivo    varchar(255),
    usuario   varchar(120),
    criado_em timestamptz  NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ix_nfe_status_historico_nfe_id ON nfe_status_historico (nfe_id);

CREATE TABLE nfe_lote (
    id          uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    empresa_id  uuid        NOT NULL REFERENCES empresas,
    tp_amb      tp_amb      NOT NULL,
    id_lote     varchar(15) NOT NULL,
    ind_sinc    topcao_0_1  NOT NULL,
    recibo      varchar(15),
    c_stat      varchar(4),
    x_motivo    varchar(255),
    enviado_em  timestamptz,
    recebido_em timestamptz,
    UNIQUE (empresa_id, tp_amb, id_lote),
    CONSTRAINT nfe_lote_regras CHECK (
        id_lote ~ '^[0-9]{1,15}$'
        AND recibo !~ '[^0-9]' AND length(recibo) = 15 AND c_stat !~ '[^0-9]' AND length(c_stat) >= 3
    )
);

CREATE TABLE nfe_lote_documento (
    lote_id uuid         NOT NULL REFERENCES nfe_lote ON DELETE CASCADE,
    ordem   tordem_50    NOT NULL,
    nfe_id  uuid         NOT NULL REFERENCES nfe ON DELETE CASCADE,
    PRIMARY KEY (lote_id, ordem)
);
CREATE INDEX ix_nfe_lote_documento_nfe_id ON nfe_lote_documento (nfe_id);

-- protNFe/infProt: what the authority answered. ordem 1 is the first answer; the highest one holds.
CREATE TABLE nfe_protocolo (
    nfe_id        uuid           NOT NULL REFERENCES nfe ON DELETE CASCADE,
    ordem         tordem_99      NOT NULL,
    id_prot       varchar(20),
    tp_amb        tp_amb         NOT NULL,
    ver_aplic     tstring_20     NOT NULL,
    ch_nfe        tch_nfe        NOT NULL,
    dh_recbto     tdate_time_utc NOT NULL,
    dh_recbto_fuso tdeslocamento NOT NULL,
    n_prot        varchar(17),
    dig_val       bytea,
    c_stat        tdig_3_4       NOT NULL,
    x_motivo      tstring_255    NOT NULL,
    PRIMARY KEY (nfe_id, ordem),
    CONSTRAINT nfe_protocolo_regras CHECK (
        n_prot ~ '^([0-9]{15}|[0-9]{17})$' AND length(dig_val) = 20
    )
);

CREATE TABLE nfe_protocolo_msg (
    nfe_id    uuid         NOT NULL,
    ordem     tordem_99    NOT NULL,
    ordem_msg tordem_5     NOT NULL,
    c_msg     varchar(4)   NOT NULL,
    x_msg     varchar(255) NOT NULL,
    PRIMARY KEY (nfe_id, ordem, ordem_msg),
    FOREIGN KEY (nfe_id, ordem) REFERENCES nfe_protocolo ON DELETE CASCADE,
    CONSTRAINT nfe_protocolo_msg_regras CHECK (
        c_msg !~ '[^0-9]' AND c_msg <> '' AND x_msg ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
    )
);

-- Events: cancelling, corrections, what the buyer says, and those of the reform. They are kept from the
-- later of the time that they bear and criado_em, which the trigger sets.
CREATE TABLE nfe_evento (
    nfe_id         uuid           NOT NULL REFERENCES nfe,
    tp_evento      tdig_6         NOT NULL,
    n_seq_evento   tordem_99      NOT NULL,
    dh_evento      tdate_time_utc NOT NULL,
    dh_evento_fuso tdeslocamento  NOT NULL,
    c_orgao        varchar(2)     NOT NULL,
    tp_amb         tp_amb         NOT NULL,
    ver_evento     varchar(4)     NOT NULL DEFAULT '1.00',
    id             varchar(54)    NOT NULL,
    c_stat         tdig_3_4,
    x_motivo       varchar(255),
    n_prot         varchar(17),
    registrado_em  timestamptz,
    xml            bytea,
    criado_em      timestamptz    NOT NULL DEFAULT now(),
    reter_ate      date           NOT NULL GENERATED ALWAYS AS (make_date(
        extract(year FROM greatest(dh_evento, criado_em) AT TIME ZONE 'UTC')::integer + 5, 12, 31)) STORED,
    PRIMARY KEY (nfe_id, tp_evento, n_seq_evento),
    CONSTRAINT nfe_evento_regras CHECK (
        id ~ '^ID[0-9]{12}[0-9A-Z]{12}[0-9]{28}$'
        AND id = 'ID' || tp_evento || substr(id, 9, 44) || lpad(n_seq_evento::text, 2, '0')
        AND c_orgao ~ '^[0-9]{2}$'
        AND n_prot ~ '^([0-9]{15}|[0-9]{17})$'
        AND (tp_evento <> '110110' OR n_seq_evento <= 20)
        AND (c_stat <> ALL ('{135, 136, 155}'::text[]) OR n_prot IS NOT NULL)
    )
);

CREATE TABLE nfe_evento_cancelamento (
    nfe_id       uuid         NOT NULL,
    tp_evento    varchar(6)   NOT NULL,
    n_seq_evento tordem_99    NOT NULL,
    n_prot       varchar(17)  NOT NULL,
    x_just       varchar(255) NOT NULL,
    ch_nfe_ref   varchar(44),
    PRIMARY KEY (nfe_id, tp_evento, n_seq_evento),
    FOREIGN KEY (nfe_id, tp_evento, n_seq_evento) REFERENCES nfe_evento ON DELETE CASCADE,
    CONSTRAINT nfe_evento_cancelamento_regras CHECK (
        n_prot ~ '^([0-9]{15}|[0-9]{17})$'
        AND CASE tp_evento WHEN '110111' THEN ch_nfe_ref IS NULL
                           WHEN '110112' THEN ch_nfe_ref IS NOT NULL ELSE false END
        AND tp_evento !~ '[^0-9]' AND length(tp_evento) = 6
        AND x_just ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(x_just) >= 15
        AND ch_nfe_ref ~ '^[0-9]{6}[0-9A-Z]{12}[0-9]{26}$'
    )
);

CREATE TABLE nfe_evento_cce (
    nfe_id       uuid            NOT NULL,
    tp_evento    tdig_6          NOT NULL DEFAULT '110110',
    n_seq_evento tordem_20       NOT NULL,
    x_correcao   tstring_15_1000 NOT NULL,
    x_cond_uso   text            NOT NULL,
    PRIMARY KEY (nfe_id, tp_evento, n_seq_evento),
    FOREIGN KEY (nfe_id, tp_evento, n_seq_evento) REFERENCES nfe_evento ON DELETE CASCADE,
    CONSTRAINT nfe_evento_cce_regras CHECK (tp_evento = '110110' AND length(x_cond_uso) <= 5000)
);

-- Numbers that were never used and never will be.
CREATE TABLE nfe_inutilizacao (
    id            varchar(43)      PRIMARY KEY,
    empresa_id    uuid             NOT NULL REFERENCES empresas,
    tp_amb        tp_amb           NOT NULL,
    c_uf          tcod_uf_ibge     NOT NULL,
    ano           tdig_2           NOT NULL,
    cnpj          tcnpj            NOT NULL,
    mod           modelo_documento NOT NULL,
    serie         topcao_0_999     NOT NULL,
    n_nf_ini      tnf              NOT NULL,
    n_nf_fin      tnf              NOT NULL,
    x_just        tstring_15_255   NOT NULL,
    c_stat        tdig_3_4,
    x_motivo      varchar(255),
    n_prot        varchar(17),
    criado_em     timestamptz      NOT NULL DEFAULT now(),
    reter_ate     date             NOT NULL GENERATED ALWAYS AS (make_date(
        greatest(2000 + ano::integer, extract(year FROM criado_em AT TIME ZONE 'UTC')::integer) + 5, 12, 31)) STORED,
    CONSTRAINT nfe_inutilizacao_regras CHECK (
        n_nf_fin BETWEEN n_nf_ini AND n_nf_ini + 9999
        AND n_prot ~ '^([0-9]{15}|[0-9]{17})$'
        AND (c_stat <> '102' OR n_prot IS NOT NULL)
        AND id = 'ID' || c_uf || ano || cnpj || CASE mod WHEN '55' THEN '55' ELSE '65' END
                 || lpad(serie::text, 3, '0') || lpad(n_nf_ini::text, 9, '0') || lpad(n_nf_fin::text, 9, '0')
    )
);
CREATE INDEX ix_nfe_inutilizacao_empresa_id
    ON nfe_inutilizacao (empresa_id, tp_amb, mod, serie, n_nf_ini);

-- What checks without the authority found.
CREATE TABLE nfe_validacao (
    nfe_id     uuid         NOT NULL REFERENCES nfe ON DELETE CASCADE,
    ordem      tordem_5000  NOT NULL,
    regra      varchar(10)  NOT NULL,
    severidade varchar(5)   NOT NULL,
    caminho    varchar(200) NOT NULL DEFAULT '',
    mensagem   varchar(500) NOT NULL,
    criado_em  timestamptz  NOT NULL DEFAULT now(),
    PRIMARY KEY (nfe_id, ordem),
    CONSTRAINT nfe_validacao_regras CHECK (severidade = ANY ('{erro, aviso}'::text[]))
);
