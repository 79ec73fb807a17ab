-- The parties of a document and what belongs to it as a whole.

-- The document: ide, with what the application keeps of it. The number, the random code, the check
-- digit and the key come with the numbering (nfe_numerar); a draft has none of them.
CREATE TABLE nfe (
    id                         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    empresa_id                 uuid        NOT NULL REFERENCES empresas,
    destinatario_id            uuid        REFERENCES pessoas,
    status                     status_nfe  NOT NULL DEFAULT 'CRIADA',
    chave_acesso               varchar(44) UNIQUE,
    versao                     varchar(4)  NOT NULL DEFAULT '4.00',
    c_uf                       tcod_uf_ibge     NOT NULL,
    c_nf                       tdig_8,
    nat_op                     tstring_60       NOT NULL,
    mod                        modelo_documento NOT NULL,
    serie                      topcao_0_999     NOT NULL,
    n_nf                       tnf,
    dh_emi                     tdate_time_utc   NOT NULL,
    dh_emi_fuso                tdeslocamento    NOT NULL,
    dh_sai_ent                 tdate_time_utc,
    dh_sai_ent_fuso            tdeslocamento,
    d_prev_entrega             tdata,
    tp_nf                      topcao_0_1       NOT NULL,
    id_dest                    topcao_1_3       NOT NULL,
    c_mun_fg                   tdig_7           NOT NULL,
    c_mun_fg_ibs               tdig_7,
    tp_imp                     tp_imp           NOT NULL,
    tp_emis                    tp_emis          NOT NULL,
    c_dv                       tdig_1,
    tp_amb                     tp_amb           NOT NULL,
    fin_nfe                    fin_nfe          NOT NULL,
    tp_nf_debito               tp_nf_debito,
    tp_nf_credito              tp_nf_credito,
    ind_final                  topcao_0_1       NOT NULL,
    ind_pres                   ind_pres         NOT NULL,
    ind_intermed               topcao_0_1,
    c_ind_op                   tdig_6,
    proc_emi                   topcao_0_4       NOT NULL,
    ver_proc                   tstring_20       NOT NULL,
    dh_cont                    tdate_time_utc,
    dh_cont_fuso               tdeslocamento,
    x_just                     tstring_15_256,
    v_troco                    tdec_1302,
    tem_cobr                   boolean     NOT NULL DEFAULT false,
    tem_agropecuario           boolean     NOT NULL DEFAULT false,
    autorizada_em              timestamptz,
    reter_ate                  date,
    criado_em                  timestamptz NOT NULL DEFAULT now(),
    atualizado_em              timestamptz NOT NULL DEFAULT now(),
    UNIQUE (empresa_id, tp_amb, mod, serie, n_nf),
    CONSTRAINT nfe_regras CHECK (
        num_nonnulls(n_nf, c_nf, c_dv, chave_acesso) IN (0, 4)
        AND (n_nf IS NOT NULL OR status = 'CRIADA')
        AND chave_acesso ~ '^[0-9]{6}[0-9A-Z]{12}[0-9]{26}$' AND chave_acesso = com_dv(left(chave_acesso, 43))
        AND versao ~ '^[1-9][0-9]?\.[0-9]{2}$'
        AND (dh_sai_ent IS NULL) = (dh_sai_ent_fuso IS NULL)
        AND num_nonnulls(dh_cont, dh_cont_fuso, x_just) IN (0, 3)
    )
);
CREATE INDEX ix_nfe_status ON nfe (status, dh_emi);
CREATE INDEX ix_nfe_empresa_id_dh_emi ON nfe (empresa_id, dh_emi);
CREATE INDEX ix_nfe_destinatario_id ON nfe (destinatario_id, dh_emi) WHERE destinatario_id IS NOT NULL;

-- ide/NFref: documents referred to by key; ordem counts over the four nfe_ref tables
CREATE TABLE nfe_ref_chave (
    nfe_id uuid        NOT NULL,
    ordem  tordem_999  NOT NULL,
    tipo   varchar(9)  NOT NULL,
    chave  varchar(44) NOT NULL,
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_ref_chave_regras CHECK (
        tipo = ANY ('{refNFe, refNFeSig, refCTe}'::text[])
        AND chave ~ '^[0-9]{6}[0-9A-Z]{12}[0-9]{26}$'
    )
);
CREATE INDEX ix_nfe_ref_chave_chave ON nfe_ref_chave (chave);

-- ide/NFref/refNF
CREATE TABLE nfe_ref_nf (
    nfe_id uuid         NOT NULL,
    ordem  tordem_999   NOT NULL,
    c_uf   tcod_uf_ibge NOT NULL,
    aamm   varchar(4)   NOT NULL,
    cnpj   varchar(14)  NOT NULL,
    mod    varchar(2)   NOT NULL,
    serie  topcao_0_999 NOT NULL,
    n_nf   tnf          NOT NULL,
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_ref_nf_regras CHECK (
        aamm ~ '^[0-9]{2}(0[1-9]|1[0-2])$' AND cnpj ~ '^[0-9A-Z]{12}[0-9]{2}$'
        AND mod = ANY ('{01, 02}'::text[])
    )
);

-- ide/NFref/refNFP
CREATE TABLE nfe_ref_nf_produtor (
    nfe_id uuid         NOT NULL,
    ordem  tordem_999   NOT NULL,
    c_uf   tcod_uf_ibge NOT NULL,
    aamm   varchar(4)   NOT NULL,
    cnpj   varchar(14),
    cpf    varchar(11),
    ie     varchar(14)  NOT NULL,
    mod    varchar(2)   NOT NULL,
    serie  topcao_0_999 NOT NULL,
    n_nf   tnf          NOT NULL,
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_ref_nf_produtor_regras CHECK (
        (cnpj IS NULL) <> (cpf IS NULL)
        AND aamm ~ '^[0-9]{2}(0[1-9]|1[0-2])$' AND cnpj ~ '^[0-9A-Z]{12}[0-9]{2}$'
        AND cpf !~ '[^0-9]' AND length(cpf) = 11
        AND (ie !~ '[^0-9]' AND length(ie) >= 2 OR ie = 'ISENTO')
        AND mod = ANY ('{01, 04}'::text[])
    )
);

-- ide/NFref/refECF
CREATE TABLE nfe_ref_ecf (
    nfe_id uuid       NOT NULL,
    ordem  tordem_999 NOT NULL,
    mod    varchar(2) NOT NULL,
    n_ecf  varchar(3) NOT NULL,
    n_coo  varchar(6) NOT NULL,
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_ref_ecf_regras CHECK (
        mod = ANY ('{2B, 2C, 2D}'::text[]) AND n_ecf !~ '[^0-9]' AND n_ecf <> ''
        AND n_coo !~ '[^0-9]' AND n_coo <> ''
    )
);

-- ide/gCompraGov
CREATE TABLE nfe_compra_gov (
    nfe_id      uuid         NOT NULL,
    tp_ente_gov topcao_1_6   NOT NULL,
    p_redutor   tdec_0302a04 NOT NULL,
    tp_oper_gov topcao_1_4   NOT NULL,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);

-- ide/gCompraGov/refDFeAnt
CREATE TABLE nfe_compra_gov_ref (
    nfe_id      uuid        NOT NULL,
    ordem       tordem_99   NOT NULL,
    ref_dfe_ant varchar(44) NOT NULL,
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe_compra_gov ON DELETE CASCADE,
    CONSTRAINT nfe_compra_gov_ref_regras CHECK (
        ref_dfe_ant ~ '^[0-9]{6}[0-9A-Z]{12}[0-9]{26}$'
    )
);

-- ide/gPagAntecipado/refNFe
CREATE TABLE nfe_pag_antecipado (
    nfe_id  uuid        NOT NULL,
    ordem   tordem_99   NOT NULL,
    ref_nfe varchar(44) NOT NULL,
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_pag_antecipado_regras CHECK (
        ref_nfe ~ '^[0-9]{6}[0-9A-Z]{12}[0-9]{26}$'
    )
);

-- emit and emit/enderEmit: the company as it was when the document was made
CREATE TABLE nfe_emitente (
    nfe_id    uuid                NOT NULL,
    cnpj      tcnpj,
    cpf       tcpf,
    x_nome    tstring_2_60        NOT NULL,
    x_fant    tstring_60,
    ie        tie                 NOT NULL,
    ie_st     tdig_2_14,
    im        tstring_15,
    cnae      tdig_7,
    crt       crt                 NOT NULL,
    isuf_emit tdig_8_9,
    x_lgr     tstring_2_60        NOT NULL,
    nro       tstring_60          NOT NULL,
    x_cpl     tstring_60,
    x_bairro  tstring_2_60        NOT NULL,
    c_mun     tdig_7              NOT NULL,
    x_mun     tstring_2_60        NOT NULL,
    uf        tuf_emi             NOT NULL,
    cep       tdig_8              NOT NULL,
    c_pais    tpais_emitente,
    x_pais    tnome_pais_emitente,
    fone      tdig_6_14,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_emitente_regras CHECK (
        (cnpj IS NULL) <> (cpf IS NULL)
        AND (im IS NOT NULL OR cnae IS NULL)
    )
);

-- avulsa
CREATE TABLE nfe_avulsa (
    nfe_id   uuid       NOT NULL,
    cnpj     tcnpj      NOT NULL,
    x_orgao  tstring_60 NOT NULL,
    matr     tstring_60 NOT NULL,
    x_agente tstring_60 NOT NULL,
    fone     tdig_6_14,
    uf       tuf_emi    NOT NULL,
    n_dar    tstring_60,
    d_emi    tdata,
    v_dar    tdec_1302,
    rep_emi  tstring_60 NOT NULL,
    d_pag    tdata,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);

-- dest and dest/enderDest; an empty id_estrangeiro is an empty element, not an absent one
CREATE TABLE nfe_destinatario (
    nfe_id         uuid            NOT NULL,
    tem_endereco   boolean         NOT NULL,
    cnpj           tcnpj,
    cpf            tcpf,
    id_estrangeiro tid_estrangeiro,
    x_nome         tstring_2_60,
    ind_ie_dest    ind_ie_dest     NOT NULL,
    ie             tdig_2_14,
    isuf           tdig_8_9,
    im             tstring_15,
    email          tstring_60,
    x_lgr          tstring_2_60,
    nro            tstring_60,
    x_cpl          tstring_60,
    x_bairro       tstring_2_60,
    c_mun          tdig_7,
    x_mun          tstring_2_60,
    uf             uf_type,
    cep            tdig_8,
    c_pais         tdig_1_4,
    x_pais         tstring_2_60,
    fone           tdig_6_14,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_destinatario_regras CHECK (
        num_nonnulls(cnpj, cpf, id_estrangeiro) = 1
        AND CASE WHEN tem_endereco THEN num_nonnulls(x_lgr, nro, x_bairro, c_mun, x_mun, uf) = 6
             ELSE num_nonnulls(x_lgr, nro, x_cpl, x_bairro, c_mun, x_mun, uf, cep, c_pais, x_pais, fone) = 0 END
    )
);

-- retirada and entrega; an empty cnpj is an empty element
CREATE TABLE nfe_local (
    nfe_id   uuid         NOT NULL,
    tipo     varchar(8)   NOT NULL,
    cnpj     tcnpj_opc,
    cpf      tcpf,
    x_nome   tstring_2_60,
    x_lgr    tstring_2_60 NOT NULL,
    nro      tstring_60   NOT NULL,
    x_cpl    tstring_60,
    x_bairro tstring_2_60 NOT NULL,
    c_mun    tdig_7       NOT NULL,
    x_mun    tstring_2_60 NOT NULL,
    uf       uf_type      NOT NULL,
    cep      tdig_8,
    c_pais   tdig_1_4,
    x_pais   tstring_2_60,
    fone     tdig_6_14,
    email    tstring_60,
    ie       tie,
    PRIMARY KEY (nfe_id, tipo),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_local_regras CHECK (
        tipo = ANY ('{retirada, entrega}'::text[])
        AND (cnpj IS NULL) <> (cpf IS NULL)
    )
);

-- autXML
CREATE TABLE nfe_autorizado_xml (
    nfe_id uuid      NOT NULL,
    ordem  tordem_10 NOT NULL,
    cnpj   varchar(14),
    cpf    varchar(11),
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_autorizado_xml_regras CHECK (
        (cnpj IS NULL) <> (cpf IS NULL)
        AND cnpj ~ '^[0-9A-Z]{12}[0-9]{2}$' AND cpf !~ '[^0-9]' AND length(cpf) = 11
    )
);

-- infIntermed
CREATE TABLE nfe_intermediador (
    nfe_id          uuid        NOT NULL,
    cnpj            varchar(14) NOT NULL,
    id_cad_int_tran varchar(60) NOT NULL,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_intermediador_regras CHECK (
        cnpj ~ '^[0-9A-Z]{12}[0-9]{2}$'
        AND id_cad_int_tran ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(id_cad_int_tran) >= 2
    )
);

-- infAdic; the row is the element, which may be empty
CREATE TABLE nfe_info_adicional (
    nfe_id       uuid         NOT NULL,
    inf_ad_fisco tstring_2000,
    inf_cpl      tstring_5000,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);

-- infAdic/obsCont and infAdic/obsFisco
CREATE TABLE nfe_observacao (
    nfe_id  uuid        NOT NULL,
    tipo    varchar(8)  NOT NULL,
    ordem   tordem_10   NOT NULL,
    x_campo varchar(20) NOT NULL,
    x_texto varchar(60) NOT NULL,
    PRIMARY KEY (nfe_id, tipo, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe_info_adicional ON DELETE CASCADE,
    CONSTRAINT nfe_observacao_regras CHECK (
        tipo = ANY ('{obsCont, obsFisco}'::text[])
        AND x_campo ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND x_texto ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
    )
);

-- infAdic/procRef
CREATE TABLE nfe_processo_ref (
    nfe_id   uuid               NOT NULL,
    ordem    tordem_100         NOT NULL,
    n_proc   varchar(60)        NOT NULL,
    ind_proc topcao_0_1_2_3_4_9 NOT NULL,
    tp_ato   varchar(2),
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe_info_adicional ON DELETE CASCADE,
    CONSTRAINT nfe_processo_ref_regras CHECK (
        n_proc ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND tp_ato = ANY ('{08, 10, 12, 14, 15}'::text[])
    )
);

-- exporta
CREATE TABLE nfe_exportacao (
    nfe_id         uuid        NOT NULL,
    uf_saida_pais  tuf_emi     NOT NULL,
    x_loc_exporta  varchar(60) NOT NULL,
    x_loc_despacho varchar(60),
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_exportacao_regras CHECK (
        x_loc_exporta ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND x_loc_despacho ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
    )
);

-- compra
CREATE TABLE nfe_compra (
    nfe_id  uuid NOT NULL,
    x_n_emp varchar(22),
    x_ped   varchar(60),
    x_cont  varchar(60),
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_compra_regras CHECK (
        x_n_emp ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND x_ped ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND x_cont ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
    )
);

-- cana
CREATE TABLE nfe_cana (
    nfe_id    uuid        NOT NULL,
    safra     tstring_4_9 NOT NULL,
    ref       tmes_ano    NOT NULL,
    q_tot_mes tdec_1110v  NOT NULL,
    q_tot_ant tdec_1110v  NOT NULL,
    q_tot_ger tdec_1110v  NOT NULL,
    v_for     tdec_1302   NOT NULL,
    v_tot_ded tdec_1302   NOT NULL,
    v_liq_for tdec_1302   NOT NULL,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);

-- cana/forDia
CREATE TABLE nfe_cana_dia (
    nfe_id uuid        NOT NULL,
    ordem  tordem_31   NOT NULL,
    dia    topcao_1_31 NOT NULL,
    qtde   tdec_1110v  NOT NULL,
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe_cana ON DELETE CASCADE
);

-- cana/deduc
CREATE TABLE nfe_cana_deducao (
    nfe_id uuid       NOT NULL,
    ordem  tordem_10  NOT NULL,
    x_ded  tstring_60 NOT NULL,
    v_ded  tdec_1302  NOT NULL,
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe_cana ON DELETE CASCADE
);

-- infRespTec
CREATE TABLE nfe_responsavel_tecnico (
    nfe_id    uuid         NOT NULL,
    cnpj      tcnpj_opc    NOT NULL,
    x_contato tstring_2_60 NOT NULL,
    email     tstring_6_60 NOT NULL,
    fone      tdig_6_14    NOT NULL,
    id_csrt   tdig_2,
    hash_csrt bytea,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_responsavel_tecnico_regras CHECK (
        (hash_csrt IS NULL OR length(hash_csrt) = 20)
        AND num_nonnulls(id_csrt, hash_csrt) IN (0, 2)
    )
);

-- infSolicNFF
CREATE TABLE nfe_solicitacao_nff (
    nfe_id  uuid           NOT NULL,
    x_solic tstring_2_5000 NOT NULL,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);

-- agropecuario/defensivo
CREATE TABLE nfe_defensivo (
    nfe_id        uuid        NOT NULL,
    ordem         tordem_20   NOT NULL,
    n_receituario varchar(30) NOT NULL,
    cpf_resp_tec  varchar(11) NOT NULL,
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_defensivo_regras CHECK (
        n_receituario ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND cpf_resp_tec !~ '[^0-9]' AND length(cpf_resp_tec) = 11
    )
);

-- agropecuario/guiaTransito
CREATE TABLE nfe_guia_transito (
    nfe_id     uuid       NOT NULL,
    tp_guia    topcao_1_7 NOT NULL,
    uf_guia    tuf_emi    NOT NULL,
    serie_guia varchar(9),
    n_guia     varchar(9) NOT NULL,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_guia_transito_regras CHECK (
        serie_guia ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND n_guia !~ '[^0-9]' AND n_guia <> ''
    )
);

-- infPAA
CREATE TABLE nfe_paa (
    nfe_id          uuid  NOT NULL,
    cnpj_paa        tcnpj NOT NULL,
    signature_value bytea NOT NULL,
    modulus         bytea NOT NULL,
    exponent        bytea NOT NULL,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);

-- infNFeSupl
CREATE TABLE nfe_suplemento (
    nfe_id    uuid          NOT NULL,
    qr_code   tqr_code      NOT NULL,
    url_chave tstring_21_85 NOT NULL,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);

-- Signature; its algorithms are fixed by the layout
CREATE TABLE nfe_assinatura (
    nfe_id           uuid        NOT NULL,
    digest_value     bytea       NOT NULL,
    signature_value  bytea       NOT NULL,
    x509_certificate bytea       NOT NULL,
    reference_uri    varchar(48) NOT NULL,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_assinatura_regras CHECK (
        length(digest_value) = 20
        AND reference_uri ~ '^#NFe[0-9]{6}[0-9A-Z]{12}[0-9]{26}$'
    )
);
