-- Totals, transport, billing and payment.

-- total and total/ICMSTot
CREATE TABLE nfe_total_icms (
    nfe_id            uuid         NOT NULL,
    v_bc              tdec_1302    NOT NULL,
    v_icms            tdec_1302    NOT NULL,
    v_icms_deson      tdec_1302    NOT NULL,
    v_fcp_uf_dest     tdec_1302,
    v_icms_uf_dest    tdec_1302,
    v_icms_uf_remet   tdec_1302,
    v_fcp             tdec_1302    NOT NULL,
    v_bc_st           tdec_1302    NOT NULL,
    v_st              tdec_1302    NOT NULL,
    v_fcp_st          tdec_1302    NOT NULL,
    v_fcp_st_ret      tdec_1302    NOT NULL,
    q_bc_mono         tdec_1302,
    v_icms_mono       tdec_1302,
    q_bc_mono_reten   tdec_1302,
    v_icms_mono_reten tdec_1302,
    q_bc_mono_ret     tdec_1302,
    v_icms_mono_ret   tdec_1302,
    v_prod            tdec_1302    NOT NULL,
    v_frete           tdec_1302    NOT NULL,
    v_seg             tdec_1302    NOT NULL,
    v_desc            tdec_1302    NOT NULL,
    v_ii              tdec_1302    NOT NULL,
    v_ipi             tdec_1302    NOT NULL,
    v_ipi_devol       tdec_1302    NOT NULL,
    v_pis             tdec_1302    NOT NULL,
    v_cofins          tdec_1302    NOT NULL,
    v_outro           tdec_1302    NOT NULL,
    v_nf              tdec_1302    NOT NULL,
    v_tot_trib        tdec_1302,
    v_nf_tot          tdec_1302opc,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);

-- total/ISSQNtot
CREATE TABLE nfe_total_issqn (
    nfe_id        uuid         NOT NULL,
    v_serv        tdec_1302opc,
    v_bc          tdec_1302opc,
    v_iss         tdec_1302opc,
    v_pis         tdec_1302opc,
    v_cofins      tdec_1302opc,
    d_compet      tdata        NOT NULL,
    v_deducao     tdec_1302opc,
    v_outro       tdec_1302opc,
    v_desc_incond tdec_1302opc,
    v_desc_cond   tdec_1302opc,
    v_iss_ret     tdec_1302opc,
    c_reg_trib    topcao_1_6,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);

-- total/retTrib
CREATE TABLE nfe_total_retencao (
    nfe_id        uuid         NOT NULL,
    v_ret_pis     tdec_1302opc,
    v_ret_cofins  tdec_1302opc,
    v_ret_csll    tdec_1302opc,
    v_bc_irrf     tdec_1302opc,
    v_irrf        tdec_1302opc,
    v_bc_ret_prev tdec_1302opc,
    v_ret_prev    tdec_1302opc,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);

-- total/ISTot
CREATE TABLE nfe_total_is (
    nfe_id uuid      NOT NULL,
    v_is   tdec_1302 NOT NULL,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);

-- total/IBSCBSTot; a group is present when its columns are
CREATE TABLE nfe_total_ibscbs (
    nfe_id                   uuid      NOT NULL,
    v_bc_ibs_cbs             tdec_1302 NOT NULL,
    ibs_v_ibs                tdec_1302,
    ibs_v_cred_pres          tdec_1302,
    ibs_v_cred_pres_cond_sus tdec_1302,
    cbs_v_dif                tdec_1302,
    cbs_v_dev_trib           tdec_1302,
    cbs_v_cbs                tdec_1302,
    cbs_v_cred_pres          tdec_1302,
    cbs_v_cred_pres_cond_sus tdec_1302,
    v_ibs_est_cred           tdec_1302,
    v_cbs_est_cred           tdec_1302,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_total_ibscbs_regras CHECK (
        num_nonnulls(ibs_v_ibs, ibs_v_cred_pres, ibs_v_cred_pres_cond_sus) IN (0, 3)
        AND num_nonnulls(cbs_v_dif, cbs_v_dev_trib, cbs_v_cbs, cbs_v_cred_pres, cbs_v_cred_pres_cond_sus) IN (0, 5)
        AND num_nonnulls(v_ibs_est_cred, v_cbs_est_cred) IN (0, 2)
    )
);

-- gIBSUF and gIBSMun of total/IBSCBSTot/gIBS; v_ibs is vIBSUF or vIBSMun
CREATE TABLE nfe_total_ibs_ente (
    nfe_id     uuid       NOT NULL,
    ente       varchar(7) NOT NULL,
    v_dif      tdec_1302  NOT NULL,
    v_dev_trib tdec_1302  NOT NULL,
    v_ibs      tdec_1302  NOT NULL,
    PRIMARY KEY (nfe_id, ente),
    FOREIGN KEY (nfe_id) REFERENCES nfe_total_ibscbs ON DELETE CASCADE,
    CONSTRAINT nfe_total_ibs_ente_regras CHECK (
        ente = ANY ('{gIBSUF, gIBSMun}'::text[])
    )
);

-- total/IBSCBSTot/gMono
CREATE TABLE nfe_total_mono (
    nfe_id           uuid      NOT NULL,
    v_ibs_mono       tdec_1302 NOT NULL,
    v_cbs_mono       tdec_1302 NOT NULL,
    v_ibs_mono_reten tdec_1302 NOT NULL,
    v_cbs_mono_reten tdec_1302 NOT NULL,
    v_ibs_mono_ret   tdec_1302 NOT NULL,
    v_cbs_mono_ret   tdec_1302 NOT NULL,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe_total_ibscbs ON DELETE CASCADE
);

-- transp; grupo is the alternative of the choice: vagao, balsa, or rodoviario (veicTransp, reboque)
CREATE TABLE nfe_transporte (
    nfe_id    uuid      NOT NULL,
    grupo     varchar(10),
    mod_frete mod_frete NOT NULL,
    vagao     varchar(20),
    balsa     varchar(20),
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_transporte_regras CHECK (
        CASE grupo
            WHEN 'vagao' THEN vagao IS NOT NULL AND balsa IS NULL
            WHEN 'balsa' THEN vagao IS NULL AND balsa IS NOT NULL
            WHEN 'rodoviario' THEN num_nonnulls(vagao, balsa) = 0
            ELSE grupo IS NULL AND num_nonnulls(vagao, balsa) = 0 END
        AND vagao ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND balsa ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
    )
);

-- transp/transporta
CREATE TABLE nfe_transportadora (
    nfe_id  uuid NOT NULL,
    cnpj    varchar(14),
    cpf     varchar(11),
    x_nome  varchar(60),
    ie      varchar(14),
    x_ender varchar(60),
    x_mun   varchar(60),
    uf      uf_type,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe_transporte ON DELETE CASCADE,
    CONSTRAINT nfe_transportadora_regras CHECK (
        (cnpj IS NULL OR cpf IS NULL)
        AND cnpj ~ '^[0-9A-Z]{12}[0-9]{2}$' AND cpf !~ '[^0-9]' AND length(cpf) = 11
        AND x_nome ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(x_nome) >= 2
        AND (ie !~ '[^0-9]' AND length(ie) >= 2 OR ie = 'ISENTO')
        AND x_ender ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
        AND x_mun ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
    )
);

-- transp/retTransp
CREATE TABLE nfe_transporte_retencao (
    nfe_id     uuid         NOT NULL,
    v_serv     tdec_1302    NOT NULL,
    v_bc_ret   tdec_1302    NOT NULL,
    p_icms_ret tdec_0302a04 NOT NULL,
    v_icms_ret tdec_1302    NOT NULL,
    cfop       tcfop        NOT NULL,
    c_mun_fg   tdig_7       NOT NULL,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe_transporte ON DELETE CASCADE
);

-- transp/veicTransp (ordem 0) and transp/reboque (ordem 1 to 5)
CREATE TABLE nfe_transporte_veiculo (
    nfe_id uuid       NOT NULL,
    ordem  topcao_0_5 NOT NULL,
    placa  varchar(7) NOT NULL,
    uf     uf_type,
    rntc   varchar(20),
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe_transporte ON DELETE CASCADE,
    CONSTRAINT nfe_transporte_veiculo_regras CHECK (
        placa ~ '^([A-Z]{2,3}[0-9]{4}|[A-Z]{3,4}[0-9]{3}|[A-Z0-9]{7})$'
        AND rntc ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
    )
);

-- transp/vol
CREATE TABLE nfe_volume (
    nfe_id uuid        NOT NULL,
    ordem  tordem_5000 NOT NULL,
    q_vol  tdig_1_15,
    esp    tstring_60,
    marca  tstring_60,
    n_vol  tstring_60,
    peso_l tdec_1203,
    peso_b tdec_1203,
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe_transporte ON DELETE CASCADE
);

-- transp/vol/lacres
CREATE TABLE nfe_volume_lacre (
    nfe_id      uuid        NOT NULL,
    ordem       tordem_5000 NOT NULL,
    ordem_lacre tordem_5000 NOT NULL,
    n_lacre     varchar(60) NOT NULL,
    PRIMARY KEY (nfe_id, ordem, ordem_lacre),
    FOREIGN KEY (nfe_id, ordem) REFERENCES nfe_volume ON DELETE CASCADE,
    CONSTRAINT nfe_volume_lacre_regras CHECK (
        n_lacre ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
    )
);

-- cobr/fat
CREATE TABLE nfe_fatura (
    nfe_id uuid       NOT NULL,
    n_fat  tstring_60,
    v_orig tdec_1302,
    v_desc tdec_1302,
    v_liq  tdec_1302,
    PRIMARY KEY (nfe_id),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);

-- cobr/dup
CREATE TABLE nfe_duplicata (
    nfe_id uuid         NOT NULL,
    ordem  tordem_120   NOT NULL,
    n_dup  tstring_60,
    d_venc tdata,
    v_dup  tdec_1302opc NOT NULL,
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE
);
CREATE INDEX ix_nfe_duplicata_d_venc ON nfe_duplicata (d_venc);

-- pag/detPag; pag/vTroco is nfe.v_troco
CREATE TABLE nfe_pagamento (
    nfe_id   uuid         NOT NULL,
    ordem    tordem_100   NOT NULL,
    ind_pag  topcao_0_1,
    t_pag    tdig_2       NOT NULL,
    x_pag    tstring_2_60,
    v_pag    tdec_1302    NOT NULL,
    d_pag    tdata,
    cnpj_pag tcnpj,
    uf_pag   tuf_emi,
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id) REFERENCES nfe ON DELETE CASCADE,
    CONSTRAINT nfe_pagamento_regras CHECK (
        num_nonnulls(cnpj_pag, uf_pag) IN (0, 2)
    )
);

-- pag/detPag/card
CREATE TABLE nfe_pagamento_cartao (
    nfe_id      uuid       NOT NULL,
    ordem       tordem_100 NOT NULL,
    tp_integra  topcao_1_2 NOT NULL,
    cnpj        varchar(14),
    t_band      varchar(2),
    c_aut       varchar(128),
    cnpj_receb  varchar(14),
    id_term_pag varchar(40),
    PRIMARY KEY (nfe_id, ordem),
    FOREIGN KEY (nfe_id, ordem) REFERENCES nfe_pagamento ON DELETE CASCADE,
    CONSTRAINT nfe_pagamento_cartao_regras CHECK (
        cnpj ~ '^[0-9A-Z]{12}[0-9]{2}$' AND t_band !~ '[^0-9]' AND length(t_band) = 2
        AND c_aut ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND cnpj_receb ~ '^[0-9A-Z]{12}[0-9]{2}$'
        AND id_term_pag ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$'
    )
);
