-- The issuing companies, whom they deal with, what they sell, and the tax rules that they apply.

CREATE TABLE empresas (
    id            uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    cnpj          tcnpj_dv      UNIQUE,
    cpf           tcpf_dv       UNIQUE,
    razao_social  tstring_2_60  NOT NULL,
    nome_fantasia tstring_60,
    ie            tie,
    iest          tdig_2_14,
    im            tstring_15,
    cnae          tdig_7,
    crt           crt           NOT NULL,
    isuf          tdig_8_9,
    x_lgr         tstring_2_60  NOT NULL,
    nro           tstring_60    NOT NULL,
    x_cpl         tstring_60,
    x_bairro      tstring_2_60  NOT NULL,
    c_mun         tdig_7        NOT NULL,
    x_mun         tstring_2_60  NOT NULL,
    uf            tuf_emi       NOT NULL,
    cep           tdig_8        NOT NULL,
    fone          tdig_6_14,
    ativa         boolean       NOT NULL DEFAULT true,
    criado_em     timestamptz   NOT NULL DEFAULT now(),
    atualizado_em timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT empresas_regras CHECK ((cnpj IS NULL) <> (cpf IS NULL))
);

-- The next number of a series. nfe_numerar locks the row; nobody computes a maximum plus one.
CREATE TABLE empresa_series (
    empresa_id     uuid             NOT NULL REFERENCES empresas,
    tp_amb         tp_amb           NOT NULL,
    mod            modelo_documento NOT NULL,
    serie          topcao_0_999     NOT NULL,
    proximo_numero integer          NOT NULL DEFAULT 1,
    PRIMARY KEY (empresa_id, tp_amb, mod, serie),
    CONSTRAINT empresa_series_regras CHECK (proximo_numero BETWEEN 1 AND 1000000000)
) WITH (fillfactor = 50);

-- Where the certificate is kept, never its key.
CREATE TABLE empresa_certificados (
    empresa_id  uuid         NOT NULL REFERENCES empresas,
    thumbprint  varchar(64)  NOT NULL,
    referencia  varchar(200) NOT NULL,
    titular     varchar(120) NOT NULL,
    valido_de   timestamptz  NOT NULL,
    valido_ate  timestamptz  NOT NULL,
    reter_ate   date         NOT NULL GENERATED ALWAYS AS
                             ((valido_ate AT TIME ZONE 'UTC' + INTERVAL '1 year')::date) STORED,
    criado_em   timestamptz  NOT NULL DEFAULT now(),
    PRIMARY KEY (empresa_id, thumbprint),
    CONSTRAINT empresa_certificados_regras CHECK (
        thumbprint ~ '^([0-9A-F]{40}|[0-9A-F]{64})$' AND valido_de < valido_ate
    )
);

-- Buyers, carriers and whoever else stands in a document.
CREATE TABLE pessoas (
    id             uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    tipo           varchar(1)  NOT NULL,
    cnpj           varchar(14) UNIQUE,
    cpf            varchar(11) UNIQUE,
    id_estrangeiro varchar(20),
    nome           varchar(60) NOT NULL,
    ind_ie_dest    ind_ie_dest NOT NULL DEFAULT '9',
    ie             varchar(14),
    isuf           varchar(9),
    im             varchar(15),
    email          varchar(60),
    criado_em      timestamptz NOT NULL DEFAULT now(),
    atualizado_em  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pessoas_regras CHECK (
        CASE tipo
            WHEN 'J' THEN cnpj IS NOT NULL AND num_nonnulls(cpf, id_estrangeiro) = 0
            WHEN 'F' THEN cpf IS NOT NULL AND num_nonnulls(cnpj, id_estrangeiro) = 0
            WHEN 'E' THEN id_estrangeiro IS NOT NULL AND num_nonnulls(cnpj, cpf) = 0
            ELSE false END
        AND (ind_ie_dest <> '1' OR ie IS NOT NULL)
        AND cnpj ~ '^[0-9A-Z]{12}[0-9]{2}$' AND cnpj <> '00000000000000' AND cnpj = com_dv(left(cnpj, 12))
        AND cpf ~ '^[0-9]{11}$' AND cpf <> repeat(left(cpf, 1), 11) AND cpf = com_dv(left(cpf, 9))
        AND id_estrangeiro !~ '[^!-\u00ff]' AND length(id_estrangeiro) NOT BETWEEN 1 AND 4
        AND nome ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(nome) >= 2
        AND ie !~ '[^0-9]' AND length(ie) >= 2
        AND isuf !~ '[^0-9]' AND length(isuf) >= 8 AND im ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND email ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
    )
);
CREATE INDEX ix_pessoas_nome ON pessoas (lower(nome::text) text_pattern_ops);

CREATE TABLE pessoa_enderecos (
    pessoa_id uuid        NOT NULL REFERENCES pessoas ON DELETE CASCADE,
    ordem     tordem_99   NOT NULL,
    tipo      varchar(9)  NOT NULL DEFAULT 'principal',
    x_lgr     varchar(60) NOT NULL,
    nro       varchar(60) NOT NULL,
    x_cpl     varchar(60),
    x_bairro  varchar(60) NOT NULL,
    c_mun     varchar(7)  NOT NULL,
    x_mun     varchar(60) NOT NULL,
    uf        uf_type     NOT NULL,
    cep       varchar(8),
    c_pais    varchar(4),
    x_pais    varchar(60),
    fone      varchar(14),
    PRIMARY KEY (pessoa_id, ordem),
    CONSTRAINT pessoa_enderecos_regras CHECK (
        tipo = ANY ('{principal, cobranca, entrega, retirada}'::text[])
        AND x_lgr ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(x_lgr) >= 2
        AND nro ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND x_cpl ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND x_bairro ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(x_bairro) >= 2
        AND c_mun !~ '[^0-9]' AND length(c_mun) = 7
        AND x_mun ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(x_mun) >= 2
        AND cep !~ '[^0-9]' AND length(cep) = 8
        AND c_pais !~ '[^0-9]' AND c_pais <> ''
        AND x_pais ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(x_pais) >= 2
        AND fone !~ '[^0-9]' AND length(fone) >= 6
    )
);

CREATE TABLE produtos (
    id            uuid              PRIMARY KEY DEFAULT gen_random_uuid(),
    empresa_id    uuid              NOT NULL REFERENCES empresas,
    codigo        tstring_60        NOT NULL,
    descricao     tstring_120       NOT NULL,
    ncm           tncm              NOT NULL,
    cest          tdig_7,
    gtin          tgtin             NOT NULL DEFAULT 'SEM GTIN',
    origem        origem_mercadoria NOT NULL DEFAULT '0',
    unidade       tstring_6         NOT NULL,
    valor         tdec_1110v        NOT NULL DEFAULT 0,
    ex_tipi       tdig_2_3,
    c_benef       tbeneficio_opc,
    c_prod_anp    tdig_9,
    ativo         boolean           NOT NULL DEFAULT true,
    criado_em     timestamptz       NOT NULL DEFAULT now(),
    atualizado_em timestamptz       NOT NULL DEFAULT now(),
    UNIQUE (empresa_id, codigo)
);
CREATE INDEX ix_produtos_gtin ON produtos (gtin) WHERE gtin <> 'SEM GTIN' AND gtin <> '';

-- How a product is taxed in a state (NULL: in all) for a kind of operation.
CREATE TABLE produto_tributacao (
    produto_id   uuid         NOT NULL REFERENCES produtos ON DELETE CASCADE,
    ordem        tordem_999   NOT NULL,
    uf           uf_type,
    crt          crt          NOT NULL,
    operacao     varchar(20)  NOT NULL DEFAULT 'venda',
    cfop         tcfop        NOT NULL,
    cst_icms     cst_icms,
    csosn        csosn_type,
    p_icms       tdec_0302a04,
    p_red_bc     tdec_0302a04,
    p_mva_st     tdec_0302a04,
    p_icms_st    tdec_0302a04,
    p_fcp        tdec_0302a04,
    cst_pis      tdig_2,
    p_pis        tdec_0302a04,
    cst_cofins   tdig_2,
    p_cofins     tdec_0302a04,
    cst_ipi      tdig_2,
    p_ipi        tdec_0302a04,
    cst_ibscbs   tdig_3,
    c_class_trib tdig_6,
    PRIMARY KEY (produto_id, ordem),
    CONSTRAINT produto_tributacao_regras CHECK (
        (cst_icms IS NULL) <> (csosn IS NULL)
        AND (c_class_trib IS NULL) = (cst_ibscbs IS NULL)
        AND left(c_class_trib, 3) = cst_ibscbs
        AND operacao ~ '^[a-z][a-z_]*$'
    )
);

-- Rates by state and period: internal, interstate, FCP, MVA, IBS and CBS.
CREATE TABLE regras_tributarias (
    id            uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    regra         varchar(20)  NOT NULL,
    uf_origem     uf_type,
    uf_destino    uf_type,
    ncm           tncm,
    aliquota      tdec_0302a04 NOT NULL,
    vigente_de    date         NOT NULL,
    vigente_ate   date,
    fundamento    varchar(200),
    CONSTRAINT regras_tributarias_regras CHECK (
        regra = ANY ('{ICMS_INTERNA, ICMS_INTERESTADUAL, FCP,
                    MVA_ST, IBS_UF, IBS_MUN, CBS}'::text[])
        AND vigente_ate >= vigente_de
    )
);
CREATE INDEX ix_regras_tributarias_regra ON regras_tributarias (regra, uf_origem, uf_destino, vigente_de);
