-- Items, and what is told of particular products.

-- det and det/prod; produto_especifico names the alternative of the choice of special products
CREATE TABLE nfe_item (
    nfe_id               uuid           NOT NULL,
    n_item               tnitem         NOT NULL,
    produto_id           uuid           REFERENCES produtos,
    produto_especifico   varchar(9),
    tem_obs_item         boolean        NOT NULL DEFAULT false,
    c_prod               tstring_60     NOT NULL,
    c_ean                tgtin          NOT NULL,
    c_barra              tstring_3_30,
    x_prod               tstring_120    NOT NULL,
    ncm                  tncm           NOT NULL,
    cest                 tdig_7,
    ind_escala           tcod_s_n,
    cnpj_fab             tcnpj,
    c_benef              tbeneficio_opc,
    tp_cred_pres_ibs_zfm topcao_0_4,
    ex_tipi              tdig_2_3,
    cfop                 tcfop          NOT NULL,
    u_com                tstring_6      NOT NULL,
    q_com                tdec_1104v     NOT NULL,
    v_un_com             tdec_1110v     NOT NULL,
    v_prod               tdec_1302      NOT NULL,
    c_ean_trib           tgtin          NOT NULL,
    c_barra_trib         tstring_3_30,
    u_trib               tstring_6      NOT NULL,
    q_trib               tdec_1104v     NOT NULL,
    v_un_trib            tdec_1110v     NOT NULL,
    v_frete              tdec_1302opc,
    v_seg                tdec_1302opc,
    v_desc               tdec_1302opc,
    v_outro              tdec_1302opc,
    ind_tot              topcao_0_1     NOT NULL,
    ind_bem_movel_usado  topcao_1_1,
    x_ped                tstring_15,
    n_item_ped           tdig_1_6,
    n_fci                tguid,
    inf_ad_prod          tstring_500,
    v_item               tdec_1302,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_item_regras CHECK (
        produto_especifico = ANY ('{veicProd, med, arma, comb, nRECOPI}'::text[])
        AND (cest IS NOT NULL OR num_nonnulls(ind_escala, cnpj_fab) = 0)
    )
);
CREATE INDEX ix_nfe_item_produto_id ON nfe_item (produto_id) WHERE produto_id IS NOT NULL;

-- det/prod/gCred
CREATE TABLE nfe_item_cred_presumido (
    nfe_id           uuid         NOT NULL,
    n_item           tnitem       NOT NULL,
    ordem            tordem_4     NOT NULL,
    c_cred_presumido tbeneficio   NOT NULL,
    p_cred_presumido tdec_0302a04 NOT NULL,
    v_cred_presumido tdec_1302    NOT NULL,
    PRIMARY KEY (nfe_id, n_item, ordem),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE
);

-- det/prod/DI
CREATE TABLE nfe_item_di (
    nfe_id        uuid        NOT NULL,
    n_item        tnitem      NOT NULL,
    ordem         tordem_100  NOT NULL,
    n_di          tstring_15  NOT NULL,
    d_di          tdata       NOT NULL,
    x_loc_desemb  tstring_60  NOT NULL,
    uf_desemb     tuf_emi     NOT NULL,
    d_desemb      tdata       NOT NULL,
    tp_via_transp topcao_1_13 NOT NULL,
    v_afrmm       tdec_1302,
    tp_intermedio topcao_1_3  NOT NULL,
    cnpj          tcnpj,
    cpf           tcpf,
    uf_terceiro   tuf_emi,
    c_exportador  tstring_60  NOT NULL,
    PRIMARY KEY (nfe_id, n_item, ordem),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE,
    CONSTRAINT nfe_item_di_regras CHECK (
        cnpj IS NULL OR cpf IS NULL
    )
);

-- det/prod/detExport
CREATE TABLE nfe_item_exportacao (
    nfe_id   uuid       NOT NULL,
    n_item   tnitem     NOT NULL,
    ordem    tordem_500 NOT NULL,
    n_draw   tstring_20,
    n_re     tdig_0_12,
    ch_nfe   tch_nfe,
    q_export tdec_1104v,
    PRIMARY KEY (nfe_id, n_item, ordem),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE,
    CONSTRAINT nfe_item_exportacao_regras CHECK (
        num_nonnulls(n_re, ch_nfe, q_export) IN (0, 3)
    )
);

-- det/prod/rastro
CREATE TABLE nfe_item_rastro (
    nfe_id  uuid       NOT NULL,
    n_item  tnitem     NOT NULL,
    ordem   tordem_500 NOT NULL,
    n_lote  tstring_20 NOT NULL,
    q_lote  tdec_0803v NOT NULL,
    d_fab   tdata      NOT NULL,
    d_val   tdata      NOT NULL,
    c_agreg tstring_20,
    PRIMARY KEY (nfe_id, n_item, ordem),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE
);
CREATE INDEX ix_nfe_item_rastro_n_lote ON nfe_item_rastro (n_lote);

-- det/prod/infProdNFF
CREATE TABLE nfe_item_nff (
    nfe_id       uuid        NOT NULL,
    n_item       tnitem      NOT NULL,
    c_prod_fisco varchar(14) NOT NULL,
    c_oper_nff   varchar(5)  NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE,
    CONSTRAINT nfe_item_nff_regras CHECK (
        c_prod_fisco ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(c_prod_fisco) = 14
        AND c_oper_nff !~ '[^0-9]' AND c_oper_nff <> ''
    )
);

-- det/prod/infProdEmb
CREATE TABLE nfe_item_embalagem (
    nfe_id    uuid       NOT NULL,
    n_item    tnitem     NOT NULL,
    x_emb     tstring_8  NOT NULL,
    q_vol_emb tdec_0803v NOT NULL,
    u_emb     tstring_8  NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE
);

-- det/prod/veicProd
CREATE TABLE nfe_item_veiculo (
    nfe_id         uuid               NOT NULL,
    n_item         tnitem             NOT NULL,
    tp_op          topcao_0_3         NOT NULL,
    chassi         varchar(17)        NOT NULL,
    c_cor          varchar(4)         NOT NULL,
    x_cor          varchar(40)        NOT NULL,
    pot            varchar(4)         NOT NULL,
    cilin          varchar(4)         NOT NULL,
    peso_l         varchar(9)         NOT NULL,
    peso_b         varchar(9)         NOT NULL,
    n_serie        varchar(9)         NOT NULL,
    tp_comb        varchar(2)         NOT NULL,
    n_motor        varchar(21)        NOT NULL,
    cmt            varchar(9)         NOT NULL,
    dist           varchar(4)         NOT NULL,
    ano_mod        varchar(4)         NOT NULL,
    ano_fab        varchar(4)         NOT NULL,
    tp_pint        varchar(1)         NOT NULL,
    tp_veic        varchar(2)         NOT NULL,
    esp_veic       varchar(1)         NOT NULL,
    vin            varchar(1)         NOT NULL,
    cond_veic      topcao_1_3         NOT NULL,
    c_mod          varchar(6)         NOT NULL,
    c_cor_denatran varchar(2)         NOT NULL,
    lota           varchar(3)         NOT NULL,
    tp_rest        topcao_0_1_2_3_4_9 NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE,
    CONSTRAINT nfe_item_veiculo_regras CHECK (
        chassi !~ '[^A-Z0-9]' AND length(chassi) = 17 AND c_cor ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND x_cor ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND pot ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND cilin ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND peso_l ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND peso_b ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND n_serie ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND tp_comb ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND n_motor ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND cmt ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND dist ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND ano_mod !~ '[^0-9]' AND length(ano_mod) = 4
        AND ano_fab !~ '[^0-9]' AND length(ano_fab) = 4
        AND tp_pint ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(tp_pint) = 1
        AND tp_veic !~ '[^0-9]' AND tp_veic <> '' AND esp_veic !~ '[^0-9]' AND length(esp_veic) = 1
        AND vin = ANY ('{R, N}'::text[]) AND c_mod !~ '[^0-9]' AND c_mod <> ''
        AND c_cor_denatran !~ '[^0-9]' AND c_cor_denatran <> '' AND lota !~ '[^0-9]' AND lota <> ''
    )
);

-- det/prod/med
CREATE TABLE nfe_item_medicamento (
    nfe_id           uuid         NOT NULL,
    n_item           tnitem       NOT NULL,
    c_prod_anvisa    tprod_anvisa NOT NULL,
    x_motivo_isencao tstring_255,
    v_pmc            tdec_1302    NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE
);

-- det/prod/arma
CREATE TABLE nfe_item_arma (
    nfe_id  uuid         NOT NULL,
    n_item  tnitem       NOT NULL,
    ordem   tordem_500   NOT NULL,
    tp_arma topcao_0_1   NOT NULL,
    n_serie varchar(15)  NOT NULL,
    n_cano  varchar(15)  NOT NULL,
    descr   varchar(256) NOT NULL,
    PRIMARY KEY (nfe_id, n_item, ordem),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE,
    CONSTRAINT nfe_item_arma_regras CHECK (
        n_serie ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND n_cano ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND descr ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
    )
);

-- det/prod/comb
CREATE TABLE nfe_item_combustivel (
    nfe_id     uuid                   NOT NULL,
    n_item     tnitem                 NOT NULL,
    c_prod_anp tdig_9                 NOT NULL,
    desc_anp   tstring_2_95           NOT NULL,
    p_glp      tdec_0302a04max100,
    p_gnn      tdec_0302a04max100,
    p_gni      tdec_0302a04max100,
    v_part     tdec_1302,
    codif      tdig_1_21,
    q_temp     tdec_1204temperatura,
    uf_cons    uf_type                NOT NULL,
    p_bio      tdec_03v00a04max100opc,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE
);

-- det/prod/NVE
CREATE TABLE nfe_item_nve (
    nfe_id uuid       NOT NULL,
    n_item tnitem     NOT NULL,
    ordem  tordem_8   NOT NULL,
    nve    varchar(6) NOT NULL,
    PRIMARY KEY (nfe_id, n_item, ordem),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE,
    CONSTRAINT nfe_item_nve_regras CHECK (
        nve ~ '^[A-Z]{2}[0-9]{4}$'
    )
);

-- det/prod/nRECOPI
CREATE TABLE nfe_item_papel (
    nfe_id   uuid        NOT NULL,
    n_item   tnitem      NOT NULL,
    n_recopi varchar(20) NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE,
    CONSTRAINT nfe_item_papel_regras CHECK (
        n_recopi !~ '[^0-9]' AND length(n_recopi) = 20
    )
);

-- det/prod/DI/adi
CREATE TABLE nfe_item_di_adicao (
    nfe_id       uuid         NOT NULL,
    n_item       tnitem       NOT NULL,
    ordem        tordem_100   NOT NULL,
    ordem_adicao tordem_999   NOT NULL,
    n_adicao     topcao_1_999,
    n_seq_adic   tnseq_adic   NOT NULL,
    c_fabricante tstring_60   NOT NULL,
    v_desc_di    tdec_1302opc,
    n_draw       tstring_20,
    PRIMARY KEY (nfe_id, n_item, ordem, ordem_adicao),
    FOREIGN KEY (nfe_id, n_item, ordem) REFERENCES nfe_item_di ON DELETE CASCADE
);

-- det/prod/comb/CIDE
CREATE TABLE nfe_item_combustivel_cide (
    nfe_id      uuid       NOT NULL,
    n_item      tnitem     NOT NULL,
    q_bc_prod   tdec_1204v NOT NULL,
    v_aliq_prod tdec_1104  NOT NULL,
    v_cide      tdec_1302  NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_combustivel ON DELETE CASCADE
);

-- det/prod/comb/encerrante
CREATE TABLE nfe_item_combustivel_encerrante (
    nfe_id    uuid      NOT NULL,
    n_item    tnitem    NOT NULL,
    n_bico    tdig_1_3  NOT NULL,
    n_bomba   tdig_1_3,
    n_tanque  tdig_1_3  NOT NULL,
    v_enc_ini tdec_1203 NOT NULL,
    v_enc_fin tdec_1203 NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_combustivel ON DELETE CASCADE
);

-- det/prod/comb/origComb
CREATE TABLE nfe_item_combustivel_origem (
    nfe_id     uuid                   NOT NULL,
    n_item     tnitem                 NOT NULL,
    ordem      tordem_30              NOT NULL,
    ind_import topcao_0_1             NOT NULL,
    c_uf_orig  tcod_uf_ibge           NOT NULL,
    p_orig     tdec_03v00a04max100opc NOT NULL,
    PRIMARY KEY (nfe_id, n_item, ordem),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_combustivel ON DELETE CASCADE
);

-- det/obsItem/obsCont and det/obsItem/obsFisco
CREATE TABLE nfe_item_observacao (
    nfe_id  uuid        NOT NULL,
    n_item  tnitem      NOT NULL,
    tipo    varchar(8)  NOT NULL,
    x_campo varchar(20) NOT NULL,
    x_texto varchar(60) NOT NULL,
    PRIMARY KEY (nfe_id, n_item, tipo),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE,
    CONSTRAINT nfe_item_observacao_regras CHECK (
        tipo = ANY ('{obsCont, obsFisco}'::text[])
        AND x_campo ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND x_texto ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
    )
);

-- det/DFeReferenciado; n_item_ref is its nItem, the item of the other document
CREATE TABLE nfe_item_dfe_referenciado (
    nfe_id       uuid        NOT NULL,
    n_item       tnitem      NOT NULL,
    chave_acesso varchar(44) NOT NULL,
    n_item_ref   tnitem,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE,
    CONSTRAINT nfe_item_dfe_referenciado_regras CHECK (
        chave_acesso ~ '^[0-9]{6}[0-9A-Z]{12}[0-9]{26}$'
    )
);

-- det/impostoDevol
CREATE TABLE nfe_item_imposto_devolvido (
    nfe_id      uuid            NOT NULL,
    n_item      tnitem          NOT NULL,
    p_devol     tdec_0302max100 NOT NULL,
    v_ipi_devol tdec_1302       NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE
);
