-- Taxes of items.

-- det/imposto; grupo says which branch of the choice stands, NULL is neither
CREATE TABLE nfe_item_imposto (
    nfe_id     uuid       NOT NULL,
    n_item     tnitem     NOT NULL,
    grupo      varchar(5),
    v_tot_trib tdec_1302,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item ON DELETE CASCADE,
    CONSTRAINT nfe_item_imposto_regras CHECK (
        grupo IN ('ICMS', 'ISSQN')
    )
);

-- det/imposto/ICMS but for the monophasic groups; grupo is the name of the element
CREATE TABLE nfe_item_icms (
    nfe_id            uuid               NOT NULL,
    n_item            tnitem             NOT NULL,
    grupo             varchar(10)        NOT NULL,
    orig              origem_mercadoria,
    cst               cst_icms,
    mod_bc            mod_bc,
    v_bc              tdec_1302,
    p_icms            tdec_0302a04,
    v_icms            tdec_1302,
    p_fcp             tdec_0302a04opc,
    v_fcp             tdec_1302,
    v_bc_fcp          tdec_1302,
    mod_bc_st         mod_bc_st,
    p_mva_st          tdec_0302a04opc,
    p_red_bc_st       tdec_0302a04opc,
    v_bc_st           tdec_1302,
    p_icms_st         tdec_0302a04,
    v_icms_st         tdec_1302,
    v_bc_fcp_st       tdec_1302,
    p_fcp_st          tdec_0302a04opc,
    v_fcp_st          tdec_1302,
    v_icms_st_deson   tdec_1302,
    mot_des_icms_st   mot_des_icms,
    p_red_bc          tdec_0302a04,
    v_icms_deson      tdec_1302,
    mot_des_icms      mot_des_icms,
    ind_deduz_deson   topcao_0_1,
    c_benef_rbc       tbeneficio,
    v_icms_op         tdec_1302,
    p_dif             tdec_0302a04max100,
    v_icms_dif        tdec_1302,
    p_fcp_dif         tdec_0302a04opc,
    v_fcp_dif         tdec_1302,
    v_fcp_efet        tdec_1302,
    v_bc_st_ret       tdec_1302,
    p_st              tdec_0302a04opc,
    v_icms_substituto tdec_1302,
    v_icms_st_ret     tdec_1302,
    v_bc_fcp_st_ret   tdec_1302,
    p_fcp_st_ret      tdec_0302a04opc,
    v_fcp_st_ret      tdec_1302,
    p_red_bc_efet     tdec_0302a04opc,
    v_bc_efet         tdec_1302,
    p_icms_efet       tdec_0302a04opc,
    v_icms_efet       tdec_1302,
    p_bc_op           tdec_0302a04opc,
    uf_st             uf_type,
    v_bc_st_dest      tdec_1302,
    v_icms_st_dest    tdec_1302,
    csosn             csosn_type,
    p_cred_sn         tdec_0302a04,
    v_cred_icms_sn    tdec_1302,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_imposto ON DELETE CASCADE,
    CONSTRAINT nfe_item_icms_regras CHECK (
        CASE grupo
            WHEN 'ICMS00' THEN
                cst = '00'
                AND num_nonnulls(orig, cst, mod_bc, v_bc, p_icms, v_icms) = 6
                AND num_nonnulls(p_fcp, v_fcp) IN (0, 2)
                AND num_nonnulls(v_bc_fcp, mod_bc_st, p_mva_st, p_red_bc_st, v_bc_st, p_icms_st,
                    v_icms_st, v_bc_fcp_st, p_fcp_st, v_fcp_st, v_icms_st_deson, mot_des_icms_st,
                    p_red_bc, v_icms_deson, mot_des_icms, ind_deduz_deson, c_benef_rbc, v_icms_op,
                    p_dif, v_icms_dif, p_fcp_dif, v_fcp_dif, v_fcp_efet, v_bc_st_ret, p_st,
                    v_icms_substituto, v_icms_st_ret, v_bc_fcp_st_ret, p_fcp_st_ret, v_fcp_st_ret,
                    p_red_bc_efet, v_bc_efet, p_icms_efet, v_icms_efet, p_bc_op, uf_st,
                    v_bc_st_dest, v_icms_st_dest, csosn, p_cred_sn, v_cred_icms_sn) = 0
            WHEN 'ICMS10' THEN
                cst = '10'
                AND num_nonnulls(orig, cst, mod_bc, v_bc, p_icms, v_icms, mod_bc_st, v_bc_st,
                    p_icms_st, v_icms_st) = 10
                AND num_nonnulls(v_bc_fcp, p_fcp, v_fcp) IN (0, 3)
                AND num_nonnulls(p_red_bc, v_icms_deson, mot_des_icms, ind_deduz_deson,
                    c_benef_rbc, v_icms_op, p_dif, v_icms_dif, p_fcp_dif, v_fcp_dif, v_fcp_efet,
                    v_bc_st_ret, p_st, v_icms_substituto, v_icms_st_ret, v_bc_fcp_st_ret,
                    p_fcp_st_ret, v_fcp_st_ret, p_red_bc_efet, v_bc_efet, p_icms_efet,
                    v_icms_efet, p_bc_op, uf_st, v_bc_st_dest, v_icms_st_dest, csosn, p_cred_sn,
                    v_cred_icms_sn) = 0
            WHEN 'ICMS20' THEN
                cst = '20'
                AND mot_des_icms IN ('3', '9', '10', '11', '12')
                AND num_nonnulls(orig, cst, mod_bc, p_red_bc, v_bc, p_icms, v_icms) = 7
                AND num_nonnulls(v_bc_fcp, p_fcp, v_fcp) IN (0, 3)
                AND num_nonnulls(mod_bc_st, p_mva_st, p_red_bc_st, v_bc_st, p_icms_st, v_icms_st,
                    v_bc_fcp_st, p_fcp_st, v_fcp_st, v_icms_st_deson, mot_des_icms_st,
                    c_benef_rbc, v_icms_op, p_dif, v_icms_dif, p_fcp_dif, v_fcp_dif, v_fcp_efet,
                    v_bc_st_ret, p_st, v_icms_substituto, v_icms_st_ret, v_bc_fcp_st_ret,
                    p_fcp_st_ret, v_fcp_st_ret, p_red_bc_efet, v_bc_efet, p_icms_efet,
                    v_icms_efet, p_bc_op, uf_st, v_bc_st_dest, v_icms_st_dest, csosn, p_cred_sn,
                    v_cred_icms_sn) = 0
            WHEN 'ICMS30' THEN
                cst = '30'
                AND mot_des_icms IN ('6', '7', '9')
                AND num_nonnulls(orig, cst, mod_bc_st, v_bc_st, p_icms_st, v_icms_st) = 6
                AND num_nonnulls(mod_bc, v_bc, p_icms, v_icms, p_fcp, v_fcp, v_bc_fcp,
                    v_icms_st_deson, mot_des_icms_st, p_red_bc, c_benef_rbc, v_icms_op, p_dif,
                    v_icms_dif, p_fcp_dif, v_fcp_dif, v_fcp_efet, v_bc_st_ret, p_st,
                    v_icms_substituto, v_icms_st_ret, v_bc_fcp_st_ret, p_fcp_st_ret, v_fcp_st_ret,
                    p_red_bc_efet, v_bc_efet, p_icms_efet, v_icms_efet, p_bc_op, uf_st,
                    v_bc_st_dest, v_icms_st_dest, csosn, p_cred_sn, v_cred_icms_sn) = 0
            WHEN 'ICMS40' THEN
                cst IN ('40', '41', '50')
                AND mot_des_icms IN ('1', '3', '4', '5', '6', '7', '8', '9', '10', '11', '16', '90')
                AND num_nonnulls(orig, cst) = 2
                AND num_nonnulls(mod_bc, v_bc, p_icms, v_icms, p_fcp, v_fcp, v_bc_fcp, mod_bc_st,
                    p_mva_st, p_red_bc_st, v_bc_st, p_icms_st, v_icms_st, v_bc_fcp_st, p_fcp_st,
                    v_fcp_st, v_icms_st_deson, mot_des_icms_st, p_red_bc, c_benef_rbc, v_icms_op,
                    p_dif, v_icms_dif, p_fcp_dif, v_fcp_dif, v_fcp_efet, v_bc_st_ret, p_st,
                    v_icms_substituto, v_icms_st_ret, v_bc_fcp_st_ret, p_fcp_st_ret, v_fcp_st_ret,
                    p_red_bc_efet, v_bc_efet, p_icms_efet, v_icms_efet, p_bc_op, uf_st,
                    v_bc_st_dest, v_icms_st_dest, csosn, p_cred_sn, v_cred_icms_sn) = 0
            WHEN 'ICMS51' THEN
                cst = '51'
                AND num_nonnulls(orig, cst) = 2
                AND num_nonnulls(v_bc_fcp, p_fcp, v_fcp) IN (0, 3)
                AND num_nonnulls(mod_bc_st, p_mva_st, p_red_bc_st, v_bc_st, p_icms_st, v_icms_st,
                    v_bc_fcp_st, p_fcp_st, v_fcp_st, v_icms_st_deson, mot_des_icms_st,
                    v_icms_deson, mot_des_icms, ind_deduz_deson, v_bc_st_ret, p_st,
                    v_icms_substituto, v_icms_st_ret, v_bc_fcp_st_ret, p_fcp_st_ret, v_fcp_st_ret,
                    p_red_bc_efet, v_bc_efet, p_icms_efet, v_icms_efet, p_bc_op, uf_st,
                    v_bc_st_dest, v_icms_st_dest, csosn, p_cred_sn, v_cred_icms_sn) = 0
            WHEN 'ICMS60' THEN
                cst = '60'
                AND num_nonnulls(orig, cst) = 2
                AND num_nonnulls(v_bc_st_ret, p_st, v_icms_st_ret) IN (0, 3)
                AND (v_bc_st_ret IS NOT NULL OR v_icms_substituto IS NULL)
                AND num_nonnulls(mod_bc, v_bc, p_icms, v_icms, p_fcp, v_fcp, v_bc_fcp, mod_bc_st,
                    p_mva_st, p_red_bc_st, v_bc_st, p_icms_st, v_icms_st, v_bc_fcp_st, p_fcp_st,
                    v_fcp_st, v_icms_st_deson, mot_des_icms_st, p_red_bc, v_icms_deson,
                    mot_des_icms, ind_deduz_deson, c_benef_rbc, v_icms_op, p_dif, v_icms_dif,
                    p_fcp_dif, v_fcp_dif, v_fcp_efet, p_bc_op, uf_st, v_bc_st_dest,
                    v_icms_st_dest, csosn, p_cred_sn, v_cred_icms_sn) = 0
            WHEN 'ICMS70' THEN
                cst = '70'
                AND mot_des_icms IN ('3', '9', '12')
                AND num_nonnulls(orig, cst, mod_bc, p_red_bc, v_bc, p_icms, v_icms, mod_bc_st,
                    v_bc_st, p_icms_st, v_icms_st) = 11
                AND num_nonnulls(v_bc_fcp, p_fcp, v_fcp) IN (0, 3)
                AND num_nonnulls(c_benef_rbc, v_icms_op, p_dif, v_icms_dif, p_fcp_dif, v_fcp_dif,
                    v_fcp_efet, v_bc_st_ret, p_st, v_icms_substituto, v_icms_st_ret,
                    v_bc_fcp_st_ret, p_fcp_st_ret, v_fcp_st_ret, p_red_bc_efet, v_bc_efet,
                    p_icms_efet, v_icms_efet, p_bc_op, uf_st, v_bc_st_dest, v_icms_st_dest, csosn,
                    p_cred_sn, v_cred_icms_sn) = 0
            WHEN 'ICMS90' THEN
                cst = '90'
                AND mot_des_icms IN ('3', '9', '12')
                AND num_nonnulls(orig, cst) = 2
                AND (p_red_bc IS DISTINCT FROM 0 OR scale(p_red_bc) > 0)
                AND num_nonnulls(mod_bc, v_bc, p_icms, v_icms) IN (0, 4)
                AND (mod_bc IS NOT NULL OR num_nonnulls(p_red_bc, c_benef_rbc, v_icms_op, p_dif,
                    v_icms_dif, v_bc_fcp, p_fcp, v_fcp, p_fcp_dif, v_fcp_dif, v_fcp_efet) = 0)
                AND num_nonnulls(v_icms_op, p_dif, v_icms_dif) IN (0, 3)
                AND num_nonnulls(v_bc_fcp, p_fcp, v_fcp) IN (0, 3)
                AND num_nonnulls(mod_bc_st, v_bc_st, p_icms_st, v_icms_st) IN (0, 4)
                AND (mod_bc_st IS NOT NULL OR num_nonnulls(p_mva_st, p_red_bc_st, v_bc_fcp_st,
                    p_fcp_st, v_fcp_st) = 0)
                AND num_nonnulls(v_bc_st_ret, p_st, v_icms_substituto, v_icms_st_ret,
                    v_bc_fcp_st_ret, p_fcp_st_ret, v_fcp_st_ret, p_red_bc_efet, v_bc_efet,
                    p_icms_efet, v_icms_efet, p_bc_op, uf_st, v_bc_st_dest, v_icms_st_dest, csosn,
                    p_cred_sn, v_cred_icms_sn) = 0
            WHEN 'ICMSPart' THEN
                cst IN ('10', '20', '90')
                AND mot_des_icms IN ('9', '10', '11')
                AND num_nonnulls(orig, cst, mod_bc, v_bc, p_icms, v_icms, mod_bc_st, v_bc_st,
                    p_icms_st, v_icms_st, p_bc_op, uf_st) = 12
                AND (p_red_bc IS DISTINCT FROM 0 OR scale(p_red_bc) > 0)
                AND num_nonnulls(p_fcp, v_fcp, v_bc_fcp, v_icms_st_deson, mot_des_icms_st,
                    c_benef_rbc, v_icms_op, p_dif, v_icms_dif, p_fcp_dif, v_fcp_dif, v_fcp_efet,
                    v_bc_st_ret, p_st, v_icms_substituto, v_icms_st_ret, v_bc_fcp_st_ret,
                    p_fcp_st_ret, v_fcp_st_ret, p_red_bc_efet, v_bc_efet, p_icms_efet,
                    v_icms_efet, v_bc_st_dest, v_icms_st_dest, csosn, p_cred_sn, v_cred_icms_sn) =
                    0
            WHEN 'ICMSST' THEN
                cst IN ('41', '60')
                AND num_nonnulls(orig, cst, v_bc_st_ret, v_icms_st_ret, v_bc_st_dest,
                    v_icms_st_dest) = 6
                AND num_nonnulls(mod_bc, v_bc, p_icms, v_icms, p_fcp, v_fcp, v_bc_fcp, mod_bc_st,
                    p_mva_st, p_red_bc_st, v_bc_st, p_icms_st, v_icms_st, v_bc_fcp_st, p_fcp_st,
                    v_fcp_st, v_icms_st_deson, mot_des_icms_st, p_red_bc, v_icms_deson,
                    mot_des_icms, ind_deduz_deson, c_benef_rbc, v_icms_op, p_dif, v_icms_dif,
                    p_fcp_dif, v_fcp_dif, v_fcp_efet, p_bc_op, uf_st, csosn, p_cred_sn,
                    v_cred_icms_sn) = 0
            WHEN 'ICMSSN101' THEN
                csosn = '101'
                AND num_nonnulls(orig, csosn, p_cred_sn, v_cred_icms_sn) = 4
                AND num_nonnulls(cst, mod_bc, v_bc, p_icms, v_icms, p_fcp, v_fcp, v_bc_fcp,
                    mod_bc_st, p_mva_st, p_red_bc_st, v_bc_st, p_icms_st, v_icms_st, v_bc_fcp_st,
                    p_fcp_st, v_fcp_st, v_icms_st_deson, mot_des_icms_st, p_red_bc, v_icms_deson,
                    mot_des_icms, ind_deduz_deson, c_benef_rbc, v_icms_op, p_dif, v_icms_dif,
                    p_fcp_dif, v_fcp_dif, v_fcp_efet, v_bc_st_ret, p_st, v_icms_substituto,
                    v_icms_st_ret, v_bc_fcp_st_ret, p_fcp_st_ret, v_fcp_st_ret, p_red_bc_efet,
                    v_bc_efet, p_icms_efet, v_icms_efet, p_bc_op, uf_st, v_bc_st_dest,
                    v_icms_st_dest) = 0
            WHEN 'ICMSSN102' THEN
                csosn IN ('102', '103', '300', '400')
                AND csosn IS NOT NULL
                AND num_nonnulls(cst, mod_bc, v_bc, p_icms, v_icms, p_fcp, v_fcp, v_bc_fcp,
                    mod_bc_st, p_mva_st, p_red_bc_st, v_bc_st, p_icms_st, v_icms_st, v_bc_fcp_st,
                    p_fcp_st, v_fcp_st, v_icms_st_deson, mot_des_icms_st, p_red_bc, v_icms_deson,
                    mot_des_icms, ind_deduz_deson, c_benef_rbc, v_icms_op, p_dif, v_icms_dif,
                    p_fcp_dif, v_fcp_dif, v_fcp_efet, v_bc_st_ret, p_st, v_icms_substituto,
                    v_icms_st_ret, v_bc_fcp_st_ret, p_fcp_st_ret, v_fcp_st_ret, p_red_bc_efet,
                    v_bc_efet, p_icms_efet, v_icms_efet, p_bc_op, uf_st, v_bc_st_dest,
                    v_icms_st_dest, p_cred_sn, v_cred_icms_sn) = 0
            WHEN 'ICMSSN201' THEN
                csosn = '201'
                AND num_nonnulls(orig, csosn, mod_bc_st, v_bc_st, p_icms_st, v_icms_st, p_cred_sn,
                    v_cred_icms_sn) = 8
                AND num_nonnulls(cst, mod_bc, v_bc, p_icms, v_icms, p_fcp, v_fcp, v_bc_fcp,
                    v_icms_st_deson, mot_des_icms_st, p_red_bc, v_icms_deson, mot_des_icms,
                    ind_deduz_deson, c_benef_rbc, v_icms_op, p_dif, v_icms_dif, p_fcp_dif,
                    v_fcp_dif, v_fcp_efet, v_bc_st_ret, p_st, v_icms_substituto, v_icms_st_ret,
                    v_bc_fcp_st_ret, p_fcp_st_ret, v_fcp_st_ret, p_red_bc_efet, v_bc_efet,
                    p_icms_efet, v_icms_efet, p_bc_op, uf_st, v_bc_st_dest, v_icms_st_dest) = 0
            WHEN 'ICMSSN202' THEN
                csosn IN ('202', '203')
                AND num_nonnulls(orig, csosn, mod_bc_st, v_bc_st, p_icms_st, v_icms_st) = 6
                AND num_nonnulls(cst, mod_bc, v_bc, p_icms, v_icms, p_fcp, v_fcp, v_bc_fcp,
                    v_icms_st_deson, mot_des_icms_st, p_red_bc, v_icms_deson, mot_des_icms,
                    ind_deduz_deson, c_benef_rbc, v_icms_op, p_dif, v_icms_dif, p_fcp_dif,
                    v_fcp_dif, v_fcp_efet, v_bc_st_ret, p_st, v_icms_substituto, v_icms_st_ret,
                    v_bc_fcp_st_ret, p_fcp_st_ret, v_fcp_st_ret, p_red_bc_efet, v_bc_efet,
                    p_icms_efet, v_icms_efet, p_bc_op, uf_st, v_bc_st_dest, v_icms_st_dest,
                    p_cred_sn, v_cred_icms_sn) = 0
            WHEN 'ICMSSN500' THEN
                csosn = '500'
                AND num_nonnulls(orig, csosn) = 2
                AND num_nonnulls(v_bc_st_ret, p_st, v_icms_st_ret) IN (0, 3)
                AND (v_bc_st_ret IS NOT NULL OR v_icms_substituto IS NULL)
                AND num_nonnulls(cst, mod_bc, v_bc, p_icms, v_icms, p_fcp, v_fcp, v_bc_fcp,
                    mod_bc_st, p_mva_st, p_red_bc_st, v_bc_st, p_icms_st, v_icms_st, v_bc_fcp_st,
                    p_fcp_st, v_fcp_st, v_icms_st_deson, mot_des_icms_st, p_red_bc, v_icms_deson,
                    mot_des_icms, ind_deduz_deson, c_benef_rbc, v_icms_op, p_dif, v_icms_dif,
                    p_fcp_dif, v_fcp_dif, v_fcp_efet, p_bc_op, uf_st, v_bc_st_dest,
                    v_icms_st_dest, p_cred_sn, v_cred_icms_sn) = 0
            WHEN 'ICMSSN900' THEN
                csosn = '900'
                AND csosn IS NOT NULL
                AND (p_red_bc IS DISTINCT FROM 0 OR scale(p_red_bc) > 0)
                AND num_nonnulls(mod_bc, v_bc, p_icms, v_icms) IN (0, 4)
                AND (mod_bc IS NOT NULL OR p_red_bc IS NULL)
                AND num_nonnulls(mod_bc_st, v_bc_st, p_icms_st, v_icms_st) IN (0, 4)
                AND (mod_bc_st IS NOT NULL OR num_nonnulls(p_mva_st, p_red_bc_st, v_bc_fcp_st,
                    p_fcp_st, v_fcp_st) = 0)
                AND num_nonnulls(p_cred_sn, v_cred_icms_sn) IN (0, 2)
                AND num_nonnulls(cst, p_fcp, v_fcp, v_bc_fcp, v_icms_st_deson, mot_des_icms_st,
                    v_icms_deson, mot_des_icms, ind_deduz_deson, c_benef_rbc, v_icms_op, p_dif,
                    v_icms_dif, p_fcp_dif, v_fcp_dif, v_fcp_efet, v_bc_st_ret, p_st,
                    v_icms_substituto, v_icms_st_ret, v_bc_fcp_st_ret, p_fcp_st_ret, v_fcp_st_ret,
                    p_red_bc_efet, v_bc_efet, p_icms_efet, v_icms_efet, p_bc_op, uf_st,
                    v_bc_st_dest, v_icms_st_dest) = 0
            ELSE false END
        AND num_nonnulls(v_bc_fcp_st, p_fcp_st, v_fcp_st) IN (0, 3)
        AND num_nonnulls(v_icms_st_deson, mot_des_icms_st) IN (0, 2)
        AND num_nonnulls(v_icms_deson, mot_des_icms) IN (0, 2)
        AND (v_icms_deson IS NOT NULL OR ind_deduz_deson IS NULL)
        AND num_nonnulls(p_fcp_dif, v_fcp_dif) IN (0, 2)
        AND (p_fcp_dif IS NOT NULL OR v_fcp_efet IS NULL)
        AND num_nonnulls(v_bc_fcp_st_ret, p_fcp_st_ret, v_fcp_st_ret) IN (0, 3)
        AND num_nonnulls(p_red_bc_efet, v_bc_efet, p_icms_efet, v_icms_efet) IN (0, 4)
    )
);

-- det/imposto/ICMS, monophasic groups
CREATE TABLE nfe_item_icms_monofasico (
    nfe_id            uuid               NOT NULL,
    n_item            tnitem             NOT NULL,
    grupo             varchar(10)        NOT NULL,
    orig              origem_mercadoria  NOT NULL,
    cst               cst_icms           NOT NULL,
    q_bc_mono         tdec_1104v,
    ad_rem_icms       tdec_0302a04,
    v_icms_mono       tdec_1302,
    q_bc_mono_reten   tdec_1104v,
    ad_rem_icms_reten tdec_0302a04,
    v_icms_mono_reten tdec_1302,
    p_red_ad_rem      tdec_0302max100,
    mot_red_ad_rem    topcao_1_9,
    v_icms_mono_op    tdec_1302,
    p_dif             tdec_0302a04max100,
    v_icms_mono_dif   tdec_1302,
    q_bc_mono_dif     tdec_1104v,
    ad_rem_icms_dif   tdec_0302a04,
    q_bc_mono_ret     tdec_1104v,
    ad_rem_icms_ret   tdec_0302a04,
    v_icms_mono_ret   tdec_1302,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_imposto ON DELETE CASCADE,
    CONSTRAINT nfe_item_icms_monofasico_regras CHECK (
        CASE grupo
            WHEN 'ICMS02' THEN
                cst = '02'
                AND num_nonnulls(ad_rem_icms, v_icms_mono) = 2
                AND num_nonnulls(q_bc_mono_reten, ad_rem_icms_reten, v_icms_mono_reten,
                    p_red_ad_rem, mot_red_ad_rem, v_icms_mono_op, p_dif, v_icms_mono_dif,
                    q_bc_mono_dif, ad_rem_icms_dif, q_bc_mono_ret, ad_rem_icms_ret,
                    v_icms_mono_ret) = 0
            WHEN 'ICMS15' THEN
                cst = '15'
                AND num_nonnulls(ad_rem_icms, v_icms_mono, ad_rem_icms_reten, v_icms_mono_reten) = 4
                AND num_nonnulls(v_icms_mono_op, p_dif, v_icms_mono_dif, q_bc_mono_dif,
                    ad_rem_icms_dif, q_bc_mono_ret, ad_rem_icms_ret, v_icms_mono_ret) = 0
            WHEN 'ICMS53' THEN
                cst = '53'
                AND num_nonnulls(q_bc_mono_reten, ad_rem_icms_reten, v_icms_mono_reten,
                    p_red_ad_rem, mot_red_ad_rem, q_bc_mono_ret, ad_rem_icms_ret, v_icms_mono_ret)
                    = 0
            WHEN 'ICMS61' THEN
                cst = '61'
                AND num_nonnulls(ad_rem_icms_ret, v_icms_mono_ret) = 2
                AND num_nonnulls(q_bc_mono, ad_rem_icms, v_icms_mono, q_bc_mono_reten,
                    ad_rem_icms_reten, v_icms_mono_reten, p_red_ad_rem, mot_red_ad_rem,
                    v_icms_mono_op, p_dif, v_icms_mono_dif, q_bc_mono_dif, ad_rem_icms_dif) = 0
            ELSE false END
        AND num_nonnulls(p_red_ad_rem, mot_red_ad_rem) IN (0, 2)
    )
);

-- det/imposto/ICMSUFDest
CREATE TABLE nfe_item_icms_uf_dest (
    nfe_id            uuid                NOT NULL,
    n_item            tnitem              NOT NULL,
    v_bc_uf_dest      tdec_1302           NOT NULL,
    v_bc_fcp_uf_dest  tdec_1302,
    p_fcp_uf_dest     tdec_0302a04,
    p_icms_uf_dest    tdec_0302a04        NOT NULL,
    p_icms_inter      taliq_interestadual NOT NULL,
    p_icms_inter_part tdec_0302a04        NOT NULL,
    v_fcp_uf_dest     tdec_1302,
    v_icms_uf_dest    tdec_1302           NOT NULL,
    v_icms_uf_remet   tdec_1302           NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_imposto ON DELETE CASCADE
);

-- det/imposto/IPI
CREATE TABLE nfe_item_ipi (
    nfe_id    uuid         NOT NULL,
    n_item    tnitem       NOT NULL,
    grupo     varchar(10)  NOT NULL,
    cnpj_prod tcnpj,
    c_selo    tstring_60,
    q_selo    tdig_1_12,
    c_enq     tstring_3    NOT NULL,
    cst       tdig_2       NOT NULL,
    v_bc      tdec_1302,
    p_ipi     tdec_0302a04,
    q_unid    tdec_1204v,
    v_unid    tdec_1104,
    v_ipi     tdec_1302,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_imposto ON DELETE CASCADE,
    CONSTRAINT nfe_item_ipi_regras CHECK (
        CASE grupo
            WHEN 'IPITrib' THEN
                cst IN ('00', '49', '50', '99')
                AND v_ipi IS NOT NULL
                AND num_nonnulls(v_bc, p_ipi) IN (0, 2)
                AND num_nonnulls(q_unid, v_unid) IN (0, 2)
                AND (v_bc IS NULL) <> (q_unid IS NULL)
            WHEN 'IPINT' THEN
                cst IN ('01', '02', '03', '04', '05', '51', '52', '53', '54', '55')
                AND num_nonnulls(v_bc, p_ipi, q_unid, v_unid, v_ipi) = 0
            ELSE false END
    )
);

-- det/imposto/II
CREATE TABLE nfe_item_ii (
    nfe_id     uuid      NOT NULL,
    n_item     tnitem    NOT NULL,
    v_bc       tdec_1302 NOT NULL,
    v_desp_adu tdec_1302 NOT NULL,
    v_ii       tdec_1302 NOT NULL,
    v_iof      tdec_1302 NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_imposto ON DELETE CASCADE
);

-- det/imposto/ISSQN
CREATE TABLE nfe_item_issqn (
    nfe_id        uuid         NOT NULL,
    n_item        tnitem       NOT NULL,
    v_bc          tdec_1302    NOT NULL,
    v_aliq        tdec_0302a04 NOT NULL,
    v_issqn       tdec_1302    NOT NULL,
    c_mun_fg      tdig_7       NOT NULL,
    c_list_serv   tclist_serv  NOT NULL,
    v_deducao     tdec_1302opc,
    v_outro       tdec_1302opc,
    v_desc_incond tdec_1302opc,
    v_desc_cond   tdec_1302opc,
    v_iss_ret     tdec_1302opc,
    ind_iss       ind_iss      NOT NULL,
    c_servico     tstring_20,
    c_mun         tdig_7,
    c_pais        tdig_1_4,
    n_processo    tstring_30,
    ind_incentivo topcao_1_2   NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_imposto ON DELETE CASCADE
);

-- det/imposto/PIS
CREATE TABLE nfe_item_pis (
    nfe_id      uuid         NOT NULL,
    n_item      tnitem       NOT NULL,
    grupo       varchar(10)  NOT NULL,
    cst         tdig_2       NOT NULL,
    v_bc        tdec_1302,
    p_pis       tdec_0302a04,
    v_pis       tdec_1302,
    q_bc_prod   tdec_1204v,
    v_aliq_prod tdec_1104v,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_imposto ON DELETE CASCADE,
    CONSTRAINT nfe_item_pis_regras CHECK (
        CASE grupo
            WHEN 'PISAliq' THEN
                cst IN ('01', '02')
                AND num_nonnulls(v_bc, p_pis, v_pis) = 3
                AND num_nonnulls(q_bc_prod, v_aliq_prod) = 0
            WHEN 'PISQtde' THEN
                cst = '03'
                AND num_nonnulls(q_bc_prod, v_aliq_prod, v_pis) = 3
                AND num_nonnulls(v_bc, p_pis) = 0
            WHEN 'PISNT' THEN
                cst IN ('04', '05', '06', '07', '08', '09')
                AND num_nonnulls(v_bc, p_pis, v_pis, q_bc_prod, v_aliq_prod) = 0
            WHEN 'PISOutr' THEN
                cst IN ('49', '50', '51', '52', '53', '54', '55', '56', '60', '61', '62',
                    '63', '64', '65', '66', '67', '70', '71', '72', '73', '74', '75', '98', '99')
                AND v_pis IS NOT NULL
                AND num_nonnulls(v_bc, p_pis) IN (0, 2)
                AND num_nonnulls(q_bc_prod, v_aliq_prod) IN (0, 2)
                AND (v_bc IS NULL) <> (q_bc_prod IS NULL)
            ELSE false END
    )
);

-- det/imposto/PISST
CREATE TABLE nfe_item_pis_st (
    nfe_id          uuid         NOT NULL,
    n_item          tnitem       NOT NULL,
    v_bc            tdec_1302opc,
    p_pis           tdec_0302a04,
    q_bc_prod       tdec_1204,
    v_aliq_prod     tdec_1104,
    v_pis           tdec_1302    NOT NULL,
    ind_soma_pis_st topcao_0_1,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_imposto ON DELETE CASCADE,
    CONSTRAINT nfe_item_pis_st_regras CHECK (
        num_nonnulls(v_bc, p_pis) IN (0, 2)
        AND num_nonnulls(q_bc_prod, v_aliq_prod) IN (0, 2)
        AND (v_bc IS NULL) <> (q_bc_prod IS NULL)
    )
);

-- det/imposto/COFINS
CREATE TABLE nfe_item_cofins (
    nfe_id      uuid         NOT NULL,
    n_item      tnitem       NOT NULL,
    grupo       varchar(10)  NOT NULL,
    cst         tdig_2       NOT NULL,
    v_bc        tdec_1302,
    p_cofins    tdec_0302a04,
    v_cofins    tdec_1302,
    q_bc_prod   tdec_1204v,
    v_aliq_prod tdec_1104v,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_imposto ON DELETE CASCADE,
    CONSTRAINT nfe_item_cofins_regras CHECK (
        CASE grupo
            WHEN 'COFINSAliq' THEN
                cst IN ('01', '02')
                AND num_nonnulls(v_bc, p_cofins, v_cofins) = 3
                AND num_nonnulls(q_bc_prod, v_aliq_prod) = 0
            WHEN 'COFINSQtde' THEN
                cst = '03'
                AND num_nonnulls(q_bc_prod, v_aliq_prod, v_cofins) = 3
                AND num_nonnulls(v_bc, p_cofins) = 0
            WHEN 'COFINSNT' THEN
                cst IN ('04', '05', '06', '07', '08', '09')
                AND num_nonnulls(v_bc, p_cofins, v_cofins, q_bc_prod, v_aliq_prod) = 0
            WHEN 'COFINSOutr' THEN
                cst IN ('49', '50', '51', '52', '53', '54', '55', '56', '60', '61', '62',
                    '63', '64', '65', '66', '67', '70', '71', '72', '73', '74', '75', '98', '99')
                AND v_cofins IS NOT NULL
                AND num_nonnulls(v_bc, p_cofins) IN (0, 2)
                AND num_nonnulls(q_bc_prod, v_aliq_prod) IN (0, 2)
                AND (v_bc IS NULL) <> (q_bc_prod IS NULL)
            ELSE false END
    )
);

-- det/imposto/COFINSST
CREATE TABLE nfe_item_cofins_st (
    nfe_id             uuid         NOT NULL,
    n_item             tnitem       NOT NULL,
    v_bc               tdec_1302,
    p_cofins           tdec_0302a04,
    q_bc_prod          tdec_1204,
    v_aliq_prod        tdec_1104,
    v_cofins           tdec_1302    NOT NULL,
    ind_soma_cofins_st topcao_0_1,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_imposto ON DELETE CASCADE,
    CONSTRAINT nfe_item_cofins_st_regras CHECK (
        num_nonnulls(v_bc, p_cofins) IN (0, 2)
        AND num_nonnulls(q_bc_prod, v_aliq_prod) IN (0, 2)
        AND (v_bc IS NULL) <> (q_bc_prod IS NULL)
    )
);

-- det/imposto/IS
CREATE TABLE nfe_item_is (
    nfe_id          uuid            NOT NULL,
    n_item          tnitem          NOT NULL,
    cst_is          tdig_3          NOT NULL,
    c_class_trib_is tdig_6          NOT NULL,
    v_bc_is         tdec_1302,
    p_is            tdec_0302a04,
    ad_rem_is       tdec_0302a04,
    u_trib          tstring_6,
    q_trib          tdec_1104op_rtc,
    v_is            tdec_1302,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_imposto ON DELETE CASCADE,
    CONSTRAINT nfe_item_is_regras CHECK (
        num_nonnulls(v_bc_is, p_is, v_is) IN (0, 3)
        AND (v_bc_is IS NOT NULL OR num_nonnulls(ad_rem_is, u_trib, q_trib) = 0)
        AND num_nonnulls(u_trib, q_trib) IN (0, 2)
    )
);

-- det/imposto/IBSCBS and gIBSCBS; grupo is the alternative of the choice, NULL is none
CREATE TABLE nfe_item_ibscbs (
    nfe_id       uuid        NOT NULL,
    n_item       tnitem      NOT NULL,
    grupo        varchar(13),
    cst          tdig_3      NOT NULL,
    c_class_trib tdig_6      NOT NULL,
    ind_doacao   topcao_1_1,
    v_bc         tdec_1302,
    v_ibs        tdec_1302,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_imposto ON DELETE CASCADE,
    CONSTRAINT nfe_item_ibscbs_regras CHECK (
        grupo IN ('gIBSCBS', 'gIBSCBSMono', 'gTransfCred', 'gAjusteCompet')
        AND num_nonnulls(v_bc, v_ibs) = CASE grupo WHEN 'gIBSCBS' THEN 2 ELSE 0 END
    )
);

-- gIBSUF, gIBSMun and gCBS of gIBSCBS with gDif, gDevTrib, gRed and gALCZFMCBS:
-- p_tributo is pIBSUF, pIBSMun or pCBS, v_tributo is vIBSUF, vIBSMun or vCBS
CREATE TABLE nfe_item_ibscbs_tributo (
    nfe_id              uuid         NOT NULL,
    n_item              tnitem       NOT NULL,
    tributo             varchar(7)   NOT NULL,
    p_tributo           tdec_0302a04 NOT NULL,
    v_tributo           tdec_1302    NOT NULL,
    p_dif               tdec_0302a04,
    v_dif               tdec_1302,
    p_dev_trib          tdec_0302a04,
    v_dev_trib          tdec_1302,
    p_red_aliq          tdec_0302a04,
    p_aliq_efet         tdec_0302a04,
    tp_alc_zfm_cbs      topcao_1_2,
    n_proc_suframa      tstring_8_12,
    p_aliq_efet_reg_cbs tdec_0302a04,
    v_trib_reg_cbs      tdec_1302,
    PRIMARY KEY (nfe_id, n_item, tributo),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_ibscbs ON DELETE CASCADE,
    CONSTRAINT nfe_item_ibscbs_tributo_regras CHECK (
        tributo IN ('gIBSUF', 'gIBSMun', 'gCBS')
        AND num_nonnulls(p_dif, v_dif) IN (0, 2)
        AND (v_dev_trib IS NOT NULL OR p_dev_trib IS NULL)
        AND num_nonnulls(p_red_aliq, p_aliq_efet) IN (0, 2)
        AND num_nonnulls(tp_alc_zfm_cbs, p_aliq_efet_reg_cbs, v_trib_reg_cbs) IN (0, 3)
        AND (n_proc_suframa IS NULL OR tp_alc_zfm_cbs IS NOT NULL)
        AND (tributo = 'gCBS' OR tp_alc_zfm_cbs IS NULL)
    )
);

-- det/imposto/IBSCBS/gIBSCBS/gTribRegular
CREATE TABLE nfe_item_ibscbs_regular (
    nfe_id                  uuid         NOT NULL,
    n_item                  tnitem       NOT NULL,
    cst_reg                 tdig_3       NOT NULL,
    c_class_trib_reg        tdig_6       NOT NULL,
    p_aliq_efet_reg_ibs_uf  tdec_0302a04 NOT NULL,
    v_trib_reg_ibs_uf       tdec_1302    NOT NULL,
    p_aliq_efet_reg_ibs_mun tdec_0302a04 NOT NULL,
    v_trib_reg_ibs_mun      tdec_1302    NOT NULL,
    p_aliq_efet_reg_cbs     tdec_0302a04 NOT NULL,
    v_trib_reg_cbs          tdec_1302    NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_ibscbs ON DELETE CASCADE
);

-- det/imposto/IBSCBS/gIBSCBS/gTribCompraGov
CREATE TABLE nfe_item_ibscbs_compra_gov (
    nfe_id         uuid         NOT NULL,
    n_item         tnitem       NOT NULL,
    p_aliq_ibs_uf  tdec_0302a04 NOT NULL,
    v_trib_ibs_uf  tdec_1302    NOT NULL,
    p_aliq_ibs_mun tdec_0302a04 NOT NULL,
    v_trib_ibs_mun tdec_1302    NOT NULL,
    p_aliq_cbs     tdec_0302a04 NOT NULL,
    v_trib_cbs     tdec_1302    NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_ibscbs ON DELETE CASCADE
);

-- det/imposto/IBSCBS/gIBSCBSMono
CREATE TABLE nfe_item_ibscbs_mono (
    nfe_id              uuid      NOT NULL,
    n_item              tnitem    NOT NULL,
    v_tot_ibs_mono_item tdec_1302 NOT NULL,
    v_tot_cbs_mono_item tdec_1302 NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_ibscbs ON DELETE CASCADE
);

-- det/imposto/IBSCBS/gTransfCred
CREATE TABLE nfe_item_ibscbs_transf_cred (
    nfe_id uuid      NOT NULL,
    n_item tnitem    NOT NULL,
    v_ibs  tdec_1302 NOT NULL,
    v_cbs  tdec_1302 NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_ibscbs ON DELETE CASCADE
);

-- det/imposto/IBSCBS/gAjusteCompet
CREATE TABLE nfe_item_ibscbs_ajuste_compet (
    nfe_id      uuid         NOT NULL,
    n_item      tnitem       NOT NULL,
    compet_apur tcompet_apur NOT NULL,
    v_ibs       tdec_1302    NOT NULL,
    v_cbs       tdec_1302    NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_ibscbs ON DELETE CASCADE
);

-- det/imposto/IBSCBS/gEstornoCred
CREATE TABLE nfe_item_ibscbs_estorno_cred (
    nfe_id         uuid      NOT NULL,
    n_item         tnitem    NOT NULL,
    v_ibs_est_cred tdec_1302 NOT NULL,
    v_cbs_est_cred tdec_1302 NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_ibscbs ON DELETE CASCADE
);

-- det/imposto/IBSCBS/gCredPresOper
CREATE TABLE nfe_item_ibscbs_cred_pres (
    nfe_id         uuid      NOT NULL,
    n_item         tnitem    NOT NULL,
    v_bc_cred_pres tdec_1302 NOT NULL,
    c_cred_pres    tdig_2    NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_ibscbs ON DELETE CASCADE
);

-- det/imposto/IBSCBS/gCredPresIBSZFM
CREATE TABLE nfe_item_ibscbs_cred_pres_zfm (
    nfe_id               uuid         NOT NULL,
    n_item               tnitem       NOT NULL,
    compet_apur          tcompet_apur NOT NULL,
    tp_cred_pres_ibs_zfm topcao_0_4   NOT NULL,
    v_cred_pres_ibs_zfm  tdec_1302    NOT NULL,
    PRIMARY KEY (nfe_id, n_item),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_ibscbs ON DELETE CASCADE
);

-- gMonoPadrao, gMonoReten, gMonoRet and gMonoDif of gIBSCBSMono
CREATE TABLE nfe_item_ibscbs_mono_parcela (
    nfe_id           uuid         NOT NULL,
    n_item           tnitem       NOT NULL,
    grupo            varchar(11)  NOT NULL,
    q_bc_mono        tdec_1104,
    ad_rem_ibs       tdec_0302a04,
    ad_rem_cbs       tdec_0302a04,
    v_ibs_mono       tdec_1302,
    v_cbs_mono       tdec_1302,
    q_bc_mono_reten  tdec_1104,
    ad_rem_ibs_reten tdec_0302a04,
    v_ibs_mono_reten tdec_1302,
    ad_rem_cbs_reten tdec_0302a04,
    v_cbs_mono_reten tdec_1302,
    q_bc_mono_ret    tdec_1104,
    ad_rem_ibs_ret   tdec_0302a04,
    v_ibs_mono_ret   tdec_1302,
    ad_rem_cbs_ret   tdec_0302a04,
    v_cbs_mono_ret   tdec_1302,
    p_dif_ibs        tdec_0302a04,
    v_ibs_mono_dif   tdec_1302,
    p_dif_cbs        tdec_0302a04,
    v_cbs_mono_dif   tdec_1302,
    PRIMARY KEY (nfe_id, n_item, grupo),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_ibscbs_mono ON DELETE CASCADE,
    CONSTRAINT nfe_item_ibscbs_mono_parcela_regras CHECK (
        CASE grupo
            WHEN 'gMonoPadrao' THEN
                num_nonnulls(q_bc_mono, ad_rem_ibs, ad_rem_cbs, v_ibs_mono, v_cbs_mono) = 5
                AND num_nonnulls(q_bc_mono_reten, ad_rem_ibs_reten, v_ibs_mono_reten,
                    ad_rem_cbs_reten, v_cbs_mono_reten, q_bc_mono_ret, ad_rem_ibs_ret,
                    v_ibs_mono_ret, ad_rem_cbs_ret, v_cbs_mono_ret, p_dif_ibs, v_ibs_mono_dif,
                    p_dif_cbs, v_cbs_mono_dif) = 0
            WHEN 'gMonoReten' THEN
                num_nonnulls(q_bc_mono_reten, ad_rem_ibs_reten, v_ibs_mono_reten,
                    ad_rem_cbs_reten, v_cbs_mono_reten) = 5
                AND num_nonnulls(q_bc_mono, ad_rem_ibs, ad_rem_cbs, v_ibs_mono, v_cbs_mono,
                    q_bc_mono_ret, ad_rem_ibs_ret, v_ibs_mono_ret, ad_rem_cbs_ret, v_cbs_mono_ret,
                    p_dif_ibs, v_ibs_mono_dif, p_dif_cbs, v_cbs_mono_dif) = 0
            WHEN 'gMonoRet' THEN
                num_nonnulls(q_bc_mono_ret, ad_rem_ibs_ret, v_ibs_mono_ret, ad_rem_cbs_ret,
                    v_cbs_mono_ret) = 5
                AND num_nonnulls(q_bc_mono, ad_rem_ibs, ad_rem_cbs, v_ibs_mono, v_cbs_mono,
                    q_bc_mono_reten, ad_rem_ibs_reten, v_ibs_mono_reten, ad_rem_cbs_reten,
                    v_cbs_mono_reten, p_dif_ibs, v_ibs_mono_dif, p_dif_cbs, v_cbs_mono_dif) = 0
            WHEN 'gMonoDif' THEN
                num_nonnulls(p_dif_ibs, v_ibs_mono_dif, p_dif_cbs, v_cbs_mono_dif) = 4
                AND num_nonnulls(q_bc_mono, ad_rem_ibs, ad_rem_cbs, v_ibs_mono, v_cbs_mono,
                    q_bc_mono_reten, ad_rem_ibs_reten, v_ibs_mono_reten, ad_rem_cbs_reten,
                    v_cbs_mono_reten, q_bc_mono_ret, ad_rem_ibs_ret, v_ibs_mono_ret,
                    ad_rem_cbs_ret, v_cbs_mono_ret) = 0
            ELSE false END
    )
);

-- gIBSCredPres and gCBSCredPres of gCredPresOper
CREATE TABLE nfe_item_ibscbs_cred_pres_valor (
    nfe_id               uuid         NOT NULL,
    n_item               tnitem       NOT NULL,
    tributo              varchar(12)  NOT NULL,
    p_cred_pres          tdec_0302a04 NOT NULL,
    v_cred_pres          tdec_1302,
    v_cred_pres_cond_sus tdec_1302,
    PRIMARY KEY (nfe_id, n_item, tributo),
    FOREIGN KEY (nfe_id, n_item) REFERENCES nfe_item_ibscbs_cred_pres ON DELETE CASCADE,
    CONSTRAINT nfe_item_ibscbs_cred_pres_valor_regras CHECK (
        tributo IN ('gIBSCredPres', 'gCBSCredPres')
        AND (v_cred_pres IS NULL) <> (v_cred_pres_cond_sus IS NULL)
    )
);
