#!/usr/bin/env python3
"""The nfe pack: its tables against the fields of the official layout, and the rules that no column shows.

The comparison reads schema_fields.tsv of the folder that TEST_NFE_LAYOUT names, or of shared/nfe beside the
project; without it that test is skipped, as is the one of the check digits."""
import collections
import contextlib
import csv
import functools
import json
import os
import re
import threading

import harness
from harness import refused_sql, shared_server, skip

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAYOUT = os.environ.get("TEST_NFE_LAYOUT", os.path.join(os.path.dirname(ROOT), "shared", "nfe"))

EDGES = {
    "CRIADA": {"ASSINADA", "INUTILIZADA"},
    "ASSINADA": {"CRIADA", "ENVIADA"},
    "ENVIADA": {"CRIADA", "PROCESSANDO", "INUTILIZADA"},
    "PROCESSANDO": {"AUTORIZADA", "REJEITADA", "DENEGADA", "INUTILIZADA"},
    "AUTORIZADA": {"CANCELADA"},
    "REJEITADA": {"CRIADA", "INUTILIZADA"},
    "DENEGADA": set(),
    "CANCELADA": set(),
    "INUTILIZADA": set(),
}

# Where the fields of a group are: the longest prefix holds. Several tables: the field is in one of them.
PLACES = {
    "ide": "nfe", "ide/NFref": "nfe_ref_chave", "ide/NFref/refNF": "nfe_ref_nf",
    "ide/NFref/refNFP": "nfe_ref_nf_produtor", "ide/NFref/refECF": "nfe_ref_ecf",
    "ide/gCompraGov": "nfe_compra_gov nfe_compra_gov_ref", "ide/gPagAntecipado": "nfe_pag_antecipado",
    "emit": "nfe_emitente", "avulsa": "nfe_avulsa", "dest": "nfe_destinatario", "retirada": "nfe_local",
    "entrega": "nfe_local", "autXML": "nfe_autorizado_xml", "det": "nfe_item",
    "det/prod": "nfe_item nfe_item_nve nfe_item_papel", "det/prod/gCred": "nfe_item_cred_presumido",
    "det/prod/DI": "nfe_item_di", "det/prod/DI/adi": "nfe_item_di_adicao",
    "det/prod/detExport": "nfe_item_exportacao", "det/prod/rastro": "nfe_item_rastro",
    "det/prod/infProdNFF": "nfe_item_nff", "det/prod/infProdEmb": "nfe_item_embalagem",
    "det/prod/veicProd": "nfe_item_veiculo", "det/prod/med": "nfe_item_medicamento",
    "det/prod/arma": "nfe_item_arma", "det/prod/comb": "nfe_item_combustivel",
    "det/prod/comb/CIDE": "nfe_item_combustivel_cide",
    "det/prod/comb/encerrante": "nfe_item_combustivel_encerrante",
    "det/prod/comb/origComb": "nfe_item_combustivel_origem", "det/imposto": "nfe_item_imposto",
    "det/imposto/ICMS": "nfe_item_icms", "det/imposto/ICMS/ICMS02": "nfe_item_icms_monofasico",
    "det/imposto/ICMS/ICMS15": "nfe_item_icms_monofasico", "det/imposto/ICMS/ICMS53": "nfe_item_icms_monofasico",
    "det/imposto/ICMS/ICMS61": "nfe_item_icms_monofasico", "det/imposto/IPI": "nfe_item_ipi",
    "det/imposto/II": "nfe_item_ii", "det/imposto/ISSQN": "nfe_item_issqn", "det/imposto/PIS": "nfe_item_pis",
    "det/imposto/PISST": "nfe_item_pis_st", "det/imposto/COFINS": "nfe_item_cofins",
    "det/imposto/COFINSST": "nfe_item_cofins_st", "det/imposto/ICMSUFDest": "nfe_item_icms_uf_dest",
    "det/imposto/IS": "nfe_item_is", "det/imposto/IBSCBS": "nfe_item_ibscbs",
    "det/imposto/IBSCBS/gIBSCBS/gIBSUF": "nfe_item_ibscbs_tributo",
    "det/imposto/IBSCBS/gIBSCBS/gIBSMun": "nfe_item_ibscbs_tributo",
    "det/imposto/IBSCBS/gIBSCBS/gCBS": "nfe_item_ibscbs_tributo",
    "det/imposto/IBSCBS/gIBSCBS/gTribRegular": "nfe_item_ibscbs_regular",
    "det/imposto/IBSCBS/gIBSCBS/gTribCompraGov": "nfe_item_ibscbs_compra_gov",
    "det/imposto/IBSCBS/gIBSCBSMono": "nfe_item_ibscbs_mono",
    "det/imposto/IBSCBS/gTransfCred": "nfe_item_ibscbs_transf_cred",
    "det/imposto/IBSCBS/gAjusteCompet": "nfe_item_ibscbs_ajuste_compet",
    "det/imposto/IBSCBS/gEstornoCred": "nfe_item_ibscbs_estorno_cred",
    "det/imposto/IBSCBS/gCredPresOper": "nfe_item_ibscbs_cred_pres",
    "det/imposto/IBSCBS/gCredPresOper/gIBSCredPres": "nfe_item_ibscbs_cred_pres_valor",
    "det/imposto/IBSCBS/gCredPresOper/gCBSCredPres": "nfe_item_ibscbs_cred_pres_valor",
    "det/imposto/IBSCBS/gCredPresIBSZFM": "nfe_item_ibscbs_cred_pres_zfm",
    "det/impostoDevol": "nfe_item_imposto_devolvido", "det/obsItem": "nfe_item_observacao",
    "det/DFeReferenciado": "nfe_item_dfe_referenciado", "total": "nfe_total_icms",
    "total/ISSQNtot": "nfe_total_issqn", "total/retTrib": "nfe_total_retencao", "total/ISTot": "nfe_total_is",
    "total/IBSCBSTot": "nfe_total_ibscbs", "total/IBSCBSTot/gIBS/gIBSUF": "nfe_total_ibs_ente",
    "total/IBSCBSTot/gIBS/gIBSMun": "nfe_total_ibs_ente", "total/IBSCBSTot/gMono": "nfe_total_mono",
    "transp": "nfe_transporte", "transp/transporta": "nfe_transportadora",
    "transp/retTransp": "nfe_transporte_retencao", "transp/veicTransp": "nfe_transporte_veiculo",
    "transp/reboque": "nfe_transporte_veiculo", "transp/vol": "nfe_volume", "transp/vol/lacres": "nfe_volume_lacre",
    "cobr/fat": "nfe_fatura", "cobr/dup": "nfe_duplicata", "pag": "nfe", "pag/detPag": "nfe_pagamento",
    "pag/detPag/card": "nfe_pagamento_cartao", "infIntermed": "nfe_intermediador",
    "infAdic": "nfe_info_adicional", "infAdic/obsCont": "nfe_observacao", "infAdic/obsFisco": "nfe_observacao",
    "infAdic/procRef": "nfe_processo_ref", "exporta": "nfe_exportacao", "compra": "nfe_compra", "cana": "nfe_cana",
    "cana/forDia": "nfe_cana_dia", "cana/deduc": "nfe_cana_deducao", "infRespTec": "nfe_responsavel_tecnico",
    "infSolicNFF": "nfe_solicitacao_nff", "agropecuario/defensivo": "nfe_defensivo",
    "agropecuario/guiaTransito": "nfe_guia_transito", "infPAA": "nfe_paa", "NFe/infNFeSupl": "nfe_suplemento",
}
for _group in ("gMonoPadrao", "gMonoReten", "gMonoRet", "gMonoDif"):
    PLACES["det/imposto/IBSCBS/gIBSCBSMono/" + _group] = "nfe_item_ibscbs_mono_parcela"

# Columns of another name than their tag, without underscores: groups that differ in nothing but the tag share one.
RENAMED = {
    "nfe_ref_chave": {"refnfe": "chave", "refnfesig": "chave", "refcte": "chave"},
    "nfe_item_ibscbs_tributo": {"pibsuf": "ptributo", "pibsmun": "ptributo", "pcbs": "ptributo",
                                "vibsuf": "vtributo", "vibsmun": "vtributo", "vcbs": "vtributo"},
    "nfe_item_dfe_referenciado": {"nitem": "nitemref"},
    "nfe_total_ibs_ente": {"vibsuf": "vibs", "vibsmun": "vibs"},
}
# In nfe_total_ibscbs two groups have fields of one name.
PREFIXES = {"total/IBSCBSTot/gIBS": "ibs", "total/IBSCBSTot/gCBS": "cbs"}

COLUMNS = """
SELECT json_agg(json_build_object('table', c.relname, 'column', replace(a.attname, '_', ''), 'type', b.typname,
           'length', CASE WHEN b.typname = 'varchar' THEN greatest(a.atttypmod, t.typtypmod) - 4 END,
           'domain', t.typname, 'labels', (SELECT json_agg(e.enumlabel) FROM pg_enum e WHERE e.enumtypid = b.oid)))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
WHERE c.relkind = 'r'
"""


def read_layout(*path):
    try:
        with open(os.path.join(LAYOUT, *path), encoding="utf-8", newline="") as f:
            return f.read()
    except FileNotFoundError:
        return skip("the layout is not there (TEST_NFE_LAYOUT)")


@functools.lru_cache(maxsize=None)
def tenant():
    """A tenant with the demo rows; tests leave it as it was."""
    answer = shared_server().create("nfe-rules", "nfe")
    with open(os.path.join(ROOT, "packs", "nfe", "demo.sql"), encoding="utf-8") as f:
        harness.psql(answer["app"], f.read())
    return answer


def sql(statement):
    return harness.psql(tenant()["app"], statement)


def refused(statement, says):
    """Nothing stays, even if it is not refused."""
    return refused_sql(tenant()["app"], "BEGIN;\n%s;\nROLLBACK;" % statement, says)


def accepted(statement):
    return sql("BEGIN;\n%s;\nROLLBACK;" % statement)


def document(status):
    return sql("SELECT id FROM nfe WHERE status = '%s' AND (status <> 'CRIADA' OR n_nf IS NOT NULL)"
               " ORDER BY id LIMIT 1" % status)


def tables_of(path):
    """The tables where the fields of a group are."""
    while path not in PLACES:
        path = path.rpartition("/")[0]
        assert path, "a group that no table has"
    return PLACES[path].split()


def narrower(field, column):
    """How a column holds less than its field, or None."""
    values = field["enum"].split("|") if field["enum"] else []
    longest = max([int(field["len"].rpartition(".")[2] or 0), *map(len, values)])
    if column["labels"]:
        missing = set(values) - set(column["labels"])
        return "lacks %s" % ", ".join(sorted(missing)) if missing else None
    if field["sql_type"].startswith("numeric") and column["type"] != "numeric":
        return "is %s, not numeric" % column["type"]
    if column["length"] and column["length"] < longest:
        return "has %d characters of %d" % (column["length"], longest)
    return None


def columns_of_fields():
    """Each field of the layout: its path, the field, its column or None."""
    fields = list(csv.DictReader(read_layout("schema_fields.tsv").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    columns = {(c["table"], c["column"]): c for c in json.loads(sql(COLUMNS))}
    for field in fields:
        path = field["path"].replace("NFe/infNFe/", "")
        tag = PREFIXES.get(path, "") + field["field"].lower()
        names = [(table, RENAMED.get(table, {}).get(tag, tag)) for table in tables_of(path)]
        yield path, field, next((columns[name] for name in names if name in columns), None)


def test_every_field_of_the_layout_has_a_column_that_is_wide_enough():
    found = list(columns_of_fields())
    problems = []
    for path, field, column in found:
        problem = narrower(field, column) if column else "has no column"
        if problem:
            problems.append("%s/%s %s" % (path, field["field"], problem))
    assert len(found) > 800 and not problems, "\n".join(problems)


# Which of the values a domain takes and gives back as they were written. The login makes no functions.
TAKES = """
DO $$
DECLARE
    value text;
    kept  text;
    taken json[] = '{}';
BEGIN
    FOR value IN SELECT json_array_elements_text('%s') LOOP
        BEGIN
            EXECUTE format('SELECT %%L::%s::text', value) INTO kept;
            IF kept = value THEN
                taken := taken || to_json(value);
            END IF;
        EXCEPTION WHEN check_violation THEN
            NULL;
        END;
    END LOOP;
    PERFORM set_config('test.taken', to_json(taken)::text, false);
END
$$;
SELECT current_setting('test.taken');
"""


def taken_by(domain, values):
    return set(json.loads(sql(TAKES % (json.dumps(values), domain))))


def boundary_values():
    """Decimals around every number of digits that the layout has, without leading zeros and signs."""
    whole = ["0", "1", "100", "101"] + ["9" * n for n in range(1, 16)] + ["1" + "0" * n for n in range(1, 16)]
    values = set(whole)
    for scale in range(1, 13):
        for part in ("0" * scale, "9" * scale, "0" * (scale - 1) + "1"):
            values.update("%s.%s" % (n, part) for n in whole)
    return sorted(values)


def test_every_decimal_takes_the_values_of_the_layout_and_no_others():
    patterns = collections.defaultdict(set)  # several fields may share a column
    for _, field, column in columns_of_fields():
        if field["sql_type"].startswith("numeric") and field["pattern"]:
            patterns[column["table"], column["column"], column["domain"]].add(field["pattern"])
    kinds = {("|".join(sorted(several)), domain) for (_, _, domain), several in patterns.items()}
    assert len(kinds) >= 17, "kinds of decimals: %d" % len(kinds)
    values = boundary_values()
    problems = []
    for pattern, domain in sorted(kinds):
        wanted = {value for value in values if re.fullmatch(pattern, value)}
        taken = taken_by(domain, values)
        assert len(wanted) > 20, "%s: %d values" % (pattern, len(wanted))
        problems += ["%s takes %s" % (domain, value) for value in sorted(taken - wanted)]
        problems += ["%s does not take %s" % (domain, value) for value in sorted(wanted - taken)]
    assert not problems, "\n".join(problems)


# What the five patterns of the layout ask for, in the order of its versions.
CHECK_CODES = {
    "v1": "?chNFe=KEY1NUMBER&nVersao=100&tpAmb=1&cDest=11144477735&dhEmi=HEX50&vNF=10.00&vICMS=0&digVal=HEX56"
          "&cIdToken=000001&cHashQRCode=HEX40",
    "v2": "?p=KEY1NUMBER|2|1|1|HEX40", "v2 offline": "?p=KEY9NUMBER|2|1|31|0.50|HEX56|1|HEX40",
    "v3": "?p=KEY1NUMBER|3|2", "v3 offline": "?p=KEY9NUMBER|3|2|01|10.00|1|12ABC34501DE35|QUJD+/==",
}


def check_code(form):
    key = "352601" + "12ABC34501DE" + "35" + "0" * 14
    code = "https://www.fazenda.sp.gov.br/qr" + CHECK_CODES[form].replace("KEY", key).replace("NUMBER", "123456789")
    for digits in (40, 50, 56):
        code = code.replace("HEX%d" % digits, "aF" * (digits // 2))
    return code


def test_a_check_code_has_one_of_the_forms_of_the_layout():
    def takes(code):
        return taken_by("tqr_code", [code]) == {code}

    patterns = re.findall(r'<xs:pattern value="(.*)"/>', read_layout("xsd", "PL_010e_v1.01", "leiauteNFe_v4.00.xsd")
                          .partition('name="qrCode"')[2].partition("</xs:element>")[0])
    assert len(patterns) == 5
    for form, pattern in zip(CHECK_CODES, patterns):
        code = check_code(form)
        assert re.fullmatch(pattern.replace("&amp;", "&"), code), "%s: %s" % (form, code)
        assert takes(code), "%s: %s" % (form, code)
        for wrong in (code[:-1] + "~", code.replace("https", "ftp"), code.replace("tpAmb=1", "tpAmb=3"),
                      code.replace("|2|1|", "|2|3|").replace("|3|2", "|3|3"), code.replace("=3526", "=X526"),
                      code + "|x"):
            assert wrong == code or not takes(wrong), "%s: %s" % (form, wrong)
    assert not takes(check_code("v3") + "|01"), "an online code with the day of an offline one"
    assert not takes(check_code("v3 offline").replace("|01|", "|32|"))
    assert not takes(check_code("v2 offline").replace("9123456789", "1123456789"))


def test_check_digits_are_those_of_the_vectors():
    vectors = json.loads(read_layout("vectors", "digits.json"))
    for kind, domain in (("cnpj", "tcnpj_dv"), ("cpf", "tcpf_dv")):
        values = {vector["value"] for vector in vectors[kind]}
        valid = {vector["value"] for vector in vectors[kind] if vector["valid"]}
        taken = taken_by(domain, sorted(values))
        assert taken == valid, "%s %s" % (kind, sorted(taken ^ valid))
        # The same is said once more where a person may be a foreigner, and of a document that is to be signed.
        draft = document("CRIADA")
        other = "cpf" if kind == "cnpj" else "cnpj"
        pattern = "[0-9A-Z]{12}[0-9]{2}" if kind == "cnpj" else "[0-9]{11}"
        for value in sorted(values):
            if not re.fullmatch(pattern, value):
                continue
            person = "INSERT INTO pessoas (tipo, %s, nome) VALUES ('%s', '%s', 'Alguem')" % (
                kind, "J" if kind == "cnpj" else "F", value)
            if value in valid:
                accepted(person)
            else:
                refused(person, "pessoas_regras")
            problems = accepted("UPDATE nfe_destinatario SET %s = '%s', %s = NULL WHERE nfe_id = '%s';"
                                " SELECT nfe_problemas(n) FROM nfe n WHERE id = '%s'" % (kind, value, other, draft, draft))
            assert ("destinatario com CNPJ ou CPF invalido" in problems) == (value not in valid), "%s: %s" % (value, problems)
    for vector in vectors["chave"]:
        change = "UPDATE nfe SET n_nf = 999999999, c_nf = '00000001', c_dv = '0', chave_acesso = '%s'" \
                 " WHERE id = (SELECT id FROM nfe WHERE n_nf IS NULL ORDER BY id LIMIT 1)" % vector["chave"]
        if vector["valid"]:
            accepted(change)
        else:
            refused(change, "nfe_regras" if len(vector["chave"]) <= 44 else "too long")


def voiding(identity, first=None, last=None, answer="'102', '135260000000007'", cnpj="e.cnpj"):
    """A voiding of the numbers around a document's; without numbers, of its own."""
    first, last = first or "n_nf", last or first or "n_nf"
    return ("INSERT INTO nfe_inutilizacao (id, empresa_id, tp_amb, c_uf, ano, cnpj, mod, serie, n_nf_ini, n_nf_fin,"
            " x_just, c_stat, n_prot) SELECT 'ID3526' || %s || '55001' || lpad((%s)::text, 9, '0') ||"
            " lpad((%s)::text, 9, '0'), empresa_id, tp_amb, 35, '26', %s, mod, serie, %s, %s,"
            " 'Numero que nao sera usado', %s FROM nfe JOIN empresas e ON e.id = empresa_id"
            " WHERE nfe.id = '%s'" % (cnpj, first, last, cnpj, first, last, answer, identity))


def answered(identity, c_stat):
    return ("INSERT INTO nfe_protocolo (nfe_id, ordem, tp_amb, ver_aplic, ch_nfe, dh_recbto, dh_recbto_fuso,"
            " n_prot, c_stat, x_motivo) SELECT id, 9, tp_amb, 'v', chave_acesso, dh_emi, -3, '135260000000001', '%s',"
            " 'ok' FROM nfe WHERE id = '%s'" % (c_stat, identity))


def batch(identity, c_stat):
    return ("WITH l AS (INSERT INTO nfe_lote (empresa_id, tp_amb, id_lote, ind_sinc, c_stat, enviado_em)"
            " SELECT empresa_id, tp_amb, (SELECT count(*) + 1 FROM nfe_lote), 1, '%s', clock_timestamp() FROM nfe"
            " WHERE id = '%s' RETURNING id)"
            " INSERT INTO nfe_lote_documento (lote_id, ordem, nfe_id) SELECT id, 1, '%s' FROM l"
            % (c_stat, identity, identity))


def signature(identity):
    return ("INSERT INTO nfe_assinatura (nfe_id, digest_value, signature_value, x509_certificate, reference_uri)"
            " SELECT id, decode(repeat('00', 20), 'hex'), '\\x00', '\\x00', '#NFe' || chave_acesso FROM nfe"
            " WHERE id = '%s' ON CONFLICT DO NOTHING" % identity)


def event(identity, kind="110111", key="chave_acesso", answer="'135', '135260000000008'", at="dh_emi"):
    return ("INSERT INTO nfe_evento (nfe_id, tp_evento, n_seq_evento, dh_evento, dh_evento_fuso, c_orgao, tp_amb,"
            " id, c_stat, n_prot) SELECT id, '%s', 1, %s, -3, '35', tp_amb, 'ID%s' || %s || '01', %s"
            " FROM nfe WHERE id = '%s'" % (kind, at, kind, key, answer, identity))


def evidence(identity, state, target):
    """What a move rests on."""
    if (state, target) == ("ENVIADA", "CRIADA"):
        return batch(identity, "108")
    answers = {"AUTORIZADA": "100", "DENEGADA": "110", "REJEITADA": "610"}
    if target in answers:
        return answered(identity, answers[target])
    made = {"INUTILIZADA": voiding, "ENVIADA": signature, "CANCELADA": event}
    return made[target](identity) if target in made else "SELECT"


def test_a_document_makes_the_moves_of_its_state_and_no_other():
    for state, targets in EDGES.items():
        identity = document(state)
        assert identity, "the demo has no document in state %s" % state
        for target in EDGES:
            move = "UPDATE nfe SET status = '%s' WHERE id = '%s'" % (target, identity)
            if target in targets:
                accepted("%s;\n%s" % (evidence(identity, state, target), move))
            elif target != state:
                refused(move, "de %s para %s nao e permitido" % (state, target))


def moved(identity, *states):
    return ";\n".join("UPDATE nfe SET status = '%s' WHERE id = '%s'" % (state, identity) for state in states)


def test_a_state_needs_what_it_rests_on():
    for state, target in (("PROCESSANDO", "AUTORIZADA"), ("PROCESSANDO", "DENEGADA"), ("PROCESSANDO", "REJEITADA"),
                          ("AUTORIZADA", "CANCELADA"), ("PROCESSANDO", "INUTILIZADA"), ("ASSINADA", "ENVIADA"),
                          ("ENVIADA", "CRIADA")):
        identity = sql("SELECT id FROM nfe WHERE status = '%s' AND NOT EXISTS (SELECT FROM nfe_evento"
                       " WHERE nfe_id = nfe.id AND tp_evento = '110111') LIMIT 1" % state)
        refused(moved(identity, target), "falta aquilo em que %s se apoia" % target)


def test_an_unknown_answer_is_no_rejection():
    identity = document("PROCESSANDO")
    for c_stat in ("100", "105", "204", "217", "302", "539", "656", "818", "999", "1000", "1025", "1157", "9999"):
        refused("%s;\n%s" % (answered(identity, c_stat), moved(identity, "REJEITADA")), "em que REJEITADA se apoia")
    for c_stat in ("225", "610", "817", "1001", "1024", "1115", "1156"):
        accepted("%s;\n%s" % (answered(identity, c_stat), moved(identity, "REJEITADA")))


def test_an_answer_is_good_for_one_move():
    again = moved(document("REJEITADA"), "CRIADA", "ASSINADA")
    identity = document("REJEITADA")
    refused(";\n".join((again, signature(identity), moved(identity, "ENVIADA", "PROCESSANDO", "REJEITADA"))),
            "em que REJEITADA se apoia")
    identity = document("ENVIADA")
    back = ";\n".join((batch(identity, "108"), moved(identity, "CRIADA", "ASSINADA"), signature(identity),
                       moved(identity, "ENVIADA")))
    refused("%s;\n%s" % (back, moved(identity, "CRIADA")), "em que CRIADA se apoia")
    accepted("%s;\n%s;\n%s" % (back, batch(identity, "109"), moved(identity, "CRIADA")))
    refused("%s;\n%s;\n%s" % (batch(identity, "108"), batch(identity, "103"), moved(identity, "CRIADA")),
            "em que CRIADA se apoia")


def test_a_document_that_changes_is_signed_again():
    identity = document("ASSINADA")
    refused(";\n".join((signature(identity), moved(identity, "CRIADA", "ASSINADA", "ENVIADA"))),
            "em que ENVIADA se apoia")
    refused("%s;\nUPDATE nfe_assinatura SET reference_uri = '#NFe' || repeat('1', 44) WHERE nfe_id = '%s';\n%s"
            % (signature(identity), identity, moved(identity, "ENVIADA")), "em que ENVIADA se apoia")


def test_a_registered_event_has_its_protocol_and_its_documents_key():
    identity = document("AUTORIZADA")
    refused(event(identity, answer="'135', NULL"), "nfe_evento_regras")
    refused(event(identity, key="(SELECT chave_acesso FROM nfe WHERE status = 'DENEGADA')"), "nao e do documento")
    refused("%s;\nUPDATE nfe_evento SET id = overlay(id PLACING '99' FROM 9) WHERE nfe_id = '%s' AND c_stat IS NULL"
            % (event(identity, "210200", answer="NULL, NULL"), identity), "nao e do documento")
    refused("%s;\n%s;\nDELETE FROM nfe_evento WHERE nfe_id = '%s'"
            % (event(identity), moved(identity, "CANCELADA"), identity), "ja registrado")
    refused(voiding(document("PROCESSANDO"), answer="'102', NULL"), "nfe_inutilizacao_regras")


def test_an_event_for_a_key_that_a_document_no_longer_has_does_not_cancel_it():
    draft = document("CRIADA")
    signed = ";\n".join((moved(draft, "ASSINADA"), signature(draft), moved(draft, "ENVIADA", "PROCESSANDO"),
                         answered(draft, "100"), moved(draft, "AUTORIZADA", "CANCELADA")))
    accepted("%s;\n%s" % (event(draft), signed))
    refused("%s;\nUPDATE nfe SET dh_emi = dh_emi - INTERVAL '40 days' WHERE id = '%s';\nSELECT nfe_numerar('%s');\n%s"
            % (event(draft), draft, draft, signed), "em que CANCELADA se apoia")


# The series of a document, in words that stand for columns of it.
NEXT = "(SELECT s.proximo_numero FROM empresa_series s WHERE (s.empresa_id, s.tp_amb, s.mod, s.serie) = (" \
       "nfe.empresa_id, nfe.tp_amb, nfe.mod, nfe.serie))"


def test_a_voided_number_is_not_given():
    identity = sql("SELECT id FROM nfe WHERE n_nf IS NULL ORDER BY id LIMIT 1")
    give = "SELECT nfe_numerar(id) - (%s) FROM nfe WHERE id = '%s'" % (NEXT, identity)
    free = "SELECT %s FROM nfe WHERE id = '%s'" % (NEXT, identity)
    following = int(sql(free))

    def given(*before):
        script = ";\n".join(("BEGIN", *before, "SELECT nfe_numerar('%s')" % identity, "ROLLBACK;"))
        return int(sql(script)) - following

    first = NEXT + " + %d"
    assert given() == 0, give
    assert given(voiding(identity, first % 0)) == 1
    assert given(voiding(identity, first % 0, first % 4), voiding(identity, first % 5)) == 6
    assert given(voiding(identity, first % 1)) == 0
    assert given(voiding(identity, first % 0, answer="NULL, NULL")) == 1
    assert given(voiding(identity, first % 0, answer="'241', NULL")) == 0


def test_a_voiding_and_the_giving_of_a_number_exclude_each_other():
    identity = sql("SELECT id FROM nfe WHERE n_nf IS NULL ORDER BY id LIMIT 1")
    with harness.Session(tenant()["app"]) as first:
        first.ask("BEGIN;\n%s;" % voiding(identity, NEXT))
        refused("SET LOCAL lock_timeout = '1ms';\nSELECT nfe_numerar('%s')" % identity, 'in relation "empresa_series"')
        first.ask("ROLLBACK;\nBEGIN;\nSELECT nfe_numerar('%s');" % identity)
        refused("SET LOCAL lock_timeout = '1ms';\n%s" % voiding(identity, NEXT), 'in relation "empresa_series"')


def test_a_voiding_covers_free_numbers_of_its_company_once():
    identity = document("AUTORIZADA")
    number = "(n_nf - 1)" if sql("SELECT n_nf > 1 FROM nfe WHERE id = '%s'" % identity) == "t" else "n_nf"
    refused(voiding(identity), "numero ja utilizado")
    refused(voiding(identity, number, "(n_nf + 1)"), "numero ja utilizado")
    asked = voiding(identity, "5000", "5010", "NULL, NULL")
    refused("%s;\nUPDATE nfe_inutilizacao SET n_nf_ini = 1, id = overlay(id PLACING '000000001' FROM 26)"
            " WHERE n_nf_ini = 5000" % asked, "numero ja utilizado")
    for first, last in (("5010", "5020"), ("4990", "5000"), ("5002", "5003"), ("4999", "5011")):
        refused("%s;\n%s" % (asked, voiding(identity, first, last)), "outra inutilizacao")
    accepted("%s;\n%s" % (asked, voiding(identity, "5011", "5020")))
    accepted("%s;\n%s" % (asked.replace("NULL, NULL", "'241', NULL"), voiding(identity, "5000", "5005")))
    accepted("%s;\nUPDATE nfe_inutilizacao SET c_stat = '102', n_prot = '135260000000007' WHERE n_nf_ini = 5000"
             % asked)
    refused(voiding(identity, "5000", cnpj="'11444777000161'"), "difere do da empresa")


def test_a_voided_number_is_not_signed():
    draft = document("CRIADA")
    refused("%s;\n%s" % (voiding(draft), moved(draft, "ASSINADA")), "numero inutilizado")


def test_a_voided_number_is_not_answered_for():
    identity = document("PROCESSANDO")
    for c_stat, target in (("100", "AUTORIZADA"), ("110", "DENEGADA")):
        move = "%s;\n%s" % (answered(identity, c_stat), moved(identity, target))
        for asked in (voiding(identity), voiding(identity, answer="NULL, NULL")):
            refused("%s;\n%s" % (asked, move), "numero inutilizado")
        accepted("%s;\n%s" % (voiding(identity, answer="'241', NULL"), move))
        refused("DELETE FROM empresa_series;\n%s" % move, "empresa sem serie")


def test_a_voiding_and_an_answer_exclude_each_other():
    identity = document("PROCESSANDO")
    move = "%s;\n%s" % (answered(identity, "100"), moved(identity, "AUTORIZADA"))
    with harness.Session(tenant()["app"]) as first:
        first.ask("BEGIN;\n%s;" % voiding(identity))
        refused("SET LOCAL lock_timeout = '1ms';\n%s" % move, 'in relation "empresa_series"')
        first.ask("ROLLBACK;\nBEGIN;\n%s;" % move)
        refused("SET LOCAL lock_timeout = '1ms';\n%s" % voiding(identity), 'in relation "empresa_series"')


def test_a_rule_that_reads_other_rows_is_not_kept_by_an_old_snapshot():
    draft, sent = document("CRIADA"), document("PROCESSANDO")
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        for change in (moved(draft, "ASSINADA"), moved(draft, "INUTILIZADA"), voiding(sent),
                       "%s;\n%s" % (answered(sent, "100"), moved(sent, "AUTORIZADA")),
                       "%s;\n%s" % (answered(sent, "100"), xml("PROCESSANDO", "nfeProc"))):
            error = refused("SET TRANSACTION ISOLATION LEVEL %s;\n%s" % (level, change), "nao em %s" % level)
            assert "ISOLATION LEVEL READ COMMITTED" in error, error
        accepted("SET TRANSACTION ISOLATION LEVEL %s;\nUPDATE nfe SET nat_op = 'Outra' WHERE id = '%s'"
                 % (level, draft))
    accepted("SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;\n%s" % moved(draft, "ASSINADA"))


def test_what_another_session_did_to_a_document_is_seen_when_it_is_signed():
    draft = document("CRIADA")
    state = "SELECT status FROM nfe WHERE id = '%s';" % draft
    try:
        with harness.Session(tenant()["app"]) as first:
            for level in ("READ COMMITTED", "REPEATABLE READ"):
                assert first.ask("BEGIN ISOLATION LEVEL %s;\n%s" % (level, state)) == "CRIADA"
                sql("INSERT INTO nfe_guia_transito (nfe_id, tp_guia, uf_guia, n_guia)"
                    " VALUES ('%s', 1, 'SP', '1')" % draft)
                assert "ERROR" in first.ask("%s;" % moved(draft, "ASSINADA")), "signed, with what it must not have"
                first.ask("ROLLBACK;")
                sql("DELETE FROM nfe_guia_transito WHERE nfe_id = '%s'" % draft)
    finally:
        sql("DELETE FROM nfe_guia_transito WHERE nfe_id = '%s'" % draft)


def xml(status, kind, ordem=1):
    return ("INSERT INTO nfe_xml (nfe_id, tipo, ordem, conteudo) SELECT id, '%s', %d, '\\x3c' FROM nfe"
            " WHERE id = '%s'" % (kind, ordem, document(status)))


def test_bytes_come_in_their_time_and_stay():
    for status, kind in (("CRIADA", "importado"), ("CRIADA", "gerado"), ("ASSINADA", "assinado"),
                         ("AUTORIZADA", "nfeProc"), ("CANCELADA", "nfeProc")):
        accepted(xml(status, kind))
    for status, kind in (("ENVIADA", "assinado"), ("AUTORIZADA", "assinado"), ("AUTORIZADA", "gerado"),
                         ("AUTORIZADA", "importado"), ("REJEITADA", "nfeProc"), ("PROCESSANDO", "nfeProc"),
                         ("INUTILIZADA", "importado")):
        refused(xml(status, kind), "nao pode mais ou ainda nao pode vir")
    accepted("%s;\n%s" % (xml("ASSINADA", "assinado"), xml("ASSINADA", "assinado", 2)))
    refused("%s;\n%s" % (xml("AUTORIZADA", "nfeProc"), xml("AUTORIZADA", "nfeProc", 2)), "nao pode mais")
    accepted("%s;\n%s" % (answered(document("PROCESSANDO"), "100"), xml("PROCESSANDO", "nfeProc")))
    for change in ("DELETE FROM nfe_xml", "UPDATE nfe_xml SET conteudo = '\\x00'"):
        refused(change, "permission denied")


def test_only_the_reasons_of_the_layout_are_given_for_relief_of_substitution():
    base = ("UPDATE nfe_item_icms SET grupo = 'ICMS10', cst = '10', mod_bc_st = '4', v_bc_st = 1.00, p_icms_st = 12.00,"
            " v_icms_st = 0.12, v_icms_st_deson = 0.10, mot_des_icms_st = '%%s' WHERE n_item = 1 AND nfe_id = '%s'"
            % sql("SELECT nfe_id FROM nfe_item_icms JOIN nfe ON id = nfe_id WHERE status = 'CRIADA'"
                  " AND grupo = 'ICMS00' LIMIT 1"))
    for reason in ("3", "9", "12"):
        accepted(base % reason)
    refused(base % "4", "nfe_item_icms_regras")


def test_every_move_is_in_the_history():
    assert sql("SELECT string_agg(para::text, ' ' ORDER BY id) FROM nfe_status_historico WHERE nfe_id = '%s'"
               % document("CANCELADA")) == "CRIADA ASSINADA ENVIADA PROCESSANDO AUTORIZADA CANCELADA"
    refused("DELETE FROM nfe_status_historico", "permission denied")


def test_the_history_has_the_role_that_a_session_took_on_or_the_user_that_it_names():
    login, schema, identity = sql("SELECT current_user"), sql("SELECT current_schema"), document("AUTORIZADA")
    move = "%s;\n%s;\nSELECT usuario FROM nfe_status_historico ORDER BY id DESC LIMIT 1" % (
        event(identity), moved(identity, "CANCELADA"))
    for session, usuario in (("SET ROLE %s" % login, login), ("SET SESSION AUTHORIZATION %s" % login, login),
                             ("SET ROLE %s; SET nfe.usuario = 'ana'" % login, "ana")):
        answer = shared_server().psql("BEGIN;\n%s;\nSET search_path = %s;\n%s;\nROLLBACK" % (session, schema, move),
                                      shared_server().superuser)
        assert answer.split("\n")[-1] == usuario, answer


BY_HAND = "INSERT INTO {0}nfe_status_historico (nfe_id, de, para) VALUES ('{1}', 'AUTORIZADA', 'CANCELADA')"
TRIGGER = """CREATE TEMPORARY TABLE own (n integer);
CREATE FUNCTION pg_temp.act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s; RETURN NULL; END $$;
CREATE TRIGGER act AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION pg_temp.act();
INSERT INTO own VALUES (1)"""


# Temporary tables and types of the catalogue's names, before the catalogue is asked where a row comes from.
CATALOGUE = ("CREATE TEMPORARY TABLE pg_trigger (tgrelid oid);\n", "CREATE TEMPORARY TABLE pg_depend AS TABLE"
             " pg_catalog.pg_depend WITH NO DATA;\n", "CREATE DOMAIN pg_temp.regclass AS pg_catalog.text;\n")
# The trigger of a foreign key, which calls a function of the session's in a CHECK.
FOREIGN_KEY = """CREATE TEMPORARY TABLE p (k integer PRIMARY KEY);
CREATE FUNCTION pg_temp.act(k integer) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN IF k = 2 THEN %s; END IF; RETURN true; END $$;
CREATE TEMPORARY TABLE c (k integer REFERENCES p ON UPDATE CASCADE, CHECK (pg_temp.act(k)));
INSERT INTO p VALUES (1);
INSERT INTO c VALUES (1);
UPDATE p SET k = 2"""


@contextlib.contextmanager
def temporary_tables():
    """A server on which everybody may make temporary tables, as one that is not ours does; the tenant's schema."""
    right = "TEMPORARY ON DATABASE %s" % shared_server().psql("SELECT quote_ident(current_database())")
    shared_server().psql("GRANT %s TO PUBLIC" % right, shared_server().superuser)
    try:
        yield sql("SELECT current_schema")
    finally:
        shared_server().psql("REVOKE %s FROM PUBLIC" % right, shared_server().superuser)


def test_the_history_is_what_the_states_write():
    identity = document("AUTORIZADA")
    refused(BY_HAND.format("", identity), "so os estados de nfe o escrevem")
    with temporary_tables() as schema:
        for way in (TRIGGER, FOREIGN_KEY):
            refused(way % BY_HAND.format(schema + ".", identity), "so os estados de nfe o escrevem")
            for stand_in in CATALOGUE:
                refused(stand_in + way % BY_HAND.format(schema + ".", identity), "so os estados de nfe o escrevem")
        accepted("CREATE TEMPORARY TABLE mine AS SELECT 1;\n%s;\n%s" % (event(identity), moved(identity, "CANCELADA")))


def test_a_temporary_table_does_not_stand_in_for_one_of_the_place():
    identity, signed = document("AUTORIZADA"), document("ASSINADA")
    with temporary_tables() as schema:
        for path in ("", "SET search_path = pg_temp, %s;\n" % schema, "SET search_path = pg_temp, pg_catalog;\n"):
            for change in ("UPDATE {0}.nfe_item SET x_prod = 'Outro' WHERE nfe_id = '{1}'",
                           "DELETE FROM {0}.nfe_item WHERE nfe_id = '{1}'",
                           "INSERT INTO {0}.nfe_compra (nfe_id) VALUES ('{1}')"):
                refused("CREATE TEMPORARY TABLE nfe AS SELECT id, 'CRIADA'::status_nfe AS status FROM nfe;\n"
                        + path + change.format(schema, identity), "seu conteudo nao muda mais")
            refused("CREATE TEMPORARY TABLE nfe_assinatura AS SELECT id AS nfe_id, '#NFe' || chave_acesso AS reference_uri"
                    " FROM nfe;\n%sUPDATE %s.nfe SET status = 'ENVIADA' WHERE id = '%s'" % (path, schema, signed),
                    "em que ENVIADA se apoia")
        unpinned = "SELECT proname FROM pg_proc WHERE prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')" \
                   " AND pronamespace = '%s'::regnamespace AND proconfig IS NULL AND prosrc ~ 'FROM nfe'" % schema
        assert sql(unpinned) == "", "a trigger that reads tables takes its caller's search_path"


CONTENT = """
WITH RECURSIVE child AS (
    SELECT 'nfe'::regclass::oid AS oid
    UNION SELECT k.conrelid FROM pg_constraint k JOIN child ON k.confrelid = child.oid WHERE k.contype = 'f'
) SELECT c.relname FROM child JOIN pg_class c USING (oid) WHERE c.relname <> 'nfe' ORDER BY 1
"""
# What happens to a document is written down while it is in any state.
SERVICES = {"nfe_xml", "nfe_status_historico", "nfe_lote_documento", "nfe_protocolo", "nfe_protocolo_msg", "nfe_evento",
            "nfe_evento_cancelamento", "nfe_evento_cce", "nfe_validacao"}


def test_no_content_of_an_authorised_document_changes():
    content = set(sql(CONTENT).split("\n")) - SERVICES
    assert len(content) >= 89, "tables of content: %d" % len(content)
    for state in ("AUTORIZADA", "CANCELADA"):
        identity = document(state)
        for table in sorted(content):
            refused("INSERT INTO %s (nfe_id) VALUES ('%s')" % (table, identity), "seu conteudo nao muda mais")
            if sql("SELECT EXISTS (SELECT FROM %s WHERE nfe_id = '%s')" % (table, identity)) == "t":
                refused("DELETE FROM %s WHERE nfe_id = '%s'" % (table, identity), "seu conteudo nao muda mais")
                refused("UPDATE %s SET nfe_id = nfe_id WHERE nfe_id = '%s'" % (table, identity),
                        "seu conteudo nao muda mais")


def test_no_field_of_an_authorised_document_changes():
    identity = document("AUTORIZADA")
    for change in ("nat_op = 'Outra'", "dh_emi_fuso = -2", "v_troco = 1.00", "empresa_id = gen_random_uuid()",
                   "chave_acesso = NULL", "tem_cobr = NOT tem_cobr"):
        refused("UPDATE nfe SET %s WHERE id = '%s'" % (change, identity), "seu conteudo nao muda mais")
    refused("DELETE FROM nfe WHERE id = '%s'" % identity, "nao pode ser apagado")
    accepted("UPDATE nfe SET reter_ate = reter_ate + 365 WHERE id = '%s'" % identity)


def test_the_date_until_which_a_document_is_kept_is_not_brought_forward():
    for state in ("AUTORIZADA", "REJEITADA", "CRIADA"):
        identity = document(state)
        refused("UPDATE nfe SET reter_ate = '2020-01-01' WHERE id = '%s';\nDELETE FROM nfe WHERE id = '%s'"
                % (identity, identity), "nao pode ser apagado")


def test_the_date_of_a_rejected_document_stays_when_it_is_worked_on_again():
    identity = document("REJEITADA")
    later = "UPDATE nfe SET reter_ate = '2060-01-01' WHERE id = '%s'" % identity
    kept = "SELECT status, reter_ate FROM nfe WHERE id = '%s'" % identity
    again = ";\n".join((later, moved(identity, "CRIADA"), "SELECT nfe_numerar('%s')" % identity,
                        moved(identity, "ASSINADA"), signature(identity), moved(identity, "ENVIADA", "PROCESSANDO")))
    assert accepted("%s;\n%s" % (again, kept)).endswith("PROCESSANDO|2060-01-01")
    rejection = answered(identity, "610").replace(", 9,", ", 10,")
    for evidence_of_it, target in ((answered(identity, "100"), "AUTORIZADA"), (rejection, "REJEITADA")):
        assert accepted(";\n".join((again, evidence_of_it, moved(identity, target), kept))).endswith(
            "%s|2060-01-01" % target)


def test_a_document_that_waits_for_another_answer_is_not_deleted():
    identity, schema = document("REJEITADA"), sql("SELECT current_schema")
    script = ("BEGIN;\nSET LOCAL search_path = %s;\n%%sSET LOCAL session_replication_role = replica;\n"
              "UPDATE nfe SET reter_ate = '2020-01-01' WHERE id = '%s';\n"
              "SET LOCAL session_replication_role = origin;\nDELETE FROM nfe WHERE id = '%s';\nROLLBACK;"
              % (schema, identity, identity))
    shared_server().psql(script % "", shared_server().superuser)
    refused_sql(shared_server().superuser, script % (moved(identity, "CRIADA") + ";\n"), "nao pode ser apagado")


def test_an_unnumbered_draft_is_deleted_with_its_content():
    draft = sql("SELECT id FROM nfe WHERE n_nf IS NULL LIMIT 1")
    assert sql("BEGIN; DELETE FROM nfe WHERE id = '%s'; SELECT count(*) FROM nfe_item WHERE nfe_id = '%s'; ROLLBACK"
               % (draft, draft)) == "0"


def test_registered_events_stay_as_they_are():
    refused("UPDATE nfe_evento SET x_motivo = 'outro'", "ja registrado")
    refused("DELETE FROM nfe_inutilizacao", "ja registrado")


def eventless():
    return sql("SELECT id FROM nfe n WHERE status = 'AUTORIZADA' AND NOT EXISTS (SELECT FROM nfe_evento"
               " WHERE nfe_id = n.id) LIMIT 1")


def content_of(identity, kind):
    if kind == "110111":
        return ("INSERT INTO nfe_evento_cancelamento (nfe_id, tp_evento, n_seq_evento, n_prot, x_just)"
                " VALUES ('%s', '110111', 1, '135260000000008', 'Pedido cancelado')" % identity)
    return ("INSERT INTO nfe_evento_cce (nfe_id, n_seq_evento, x_correcao, x_cond_uso)"
            " VALUES ('%s', 1, 'Endereco de entrega: sala 12', '')" % identity)


def test_what_an_event_says_is_there_before_it_is_registered():
    identity = eventless()
    register = "UPDATE nfe_evento SET c_stat = '135', n_prot = '135260000000008' WHERE nfe_id = '%s'" % identity
    for kind in ("110111", "110110"):
        content, asked = content_of(identity, kind), event(identity, kind, answer="NULL, NULL")
        accepted(";\n".join((asked, content, register)))
        refused(";\n".join((event(identity, kind), content)), "ja foi registrado")
        refused(";\n".join((asked, register, content)), "ja foi registrado")


# The day is another one in some time zone, and a session may say that it is in any.
FAR = ("<x>-167", "<x>167")


def test_the_time_zone_of_a_session_does_not_end_a_retention():
    identity = eventless()
    schema = sql("SELECT current_schema")
    script = ("BEGIN;\nSET LOCAL search_path = %s;\nSET LOCAL session_replication_role = replica;\n"
              "UPDATE nfe SET reter_ate = (now() AT TIME ZONE 'UTC' - INTERVAL '12 hours')::date - %%d WHERE id = '%s';\n"
              "SET LOCAL session_replication_role = origin;\nSET LOCAL TimeZone = '%%s';\n"
              "DELETE FROM nfe WHERE id = '%s';\nROLLBACK;" % (schema, identity, identity))
    for zone in FAR:
        refused_sql(shared_server().superuser, script % (0, zone), "nao pode ser apagado")
        shared_server().psql(script % (1, zone), shared_server().superuser)


FIFTH_YEAR = "make_date(extract(year FROM now() - INTERVAL '3 hours')::int + 5, 12, 31)"


def test_documents_are_kept_until_the_fifth_year_after_they_were_answered():
    assert sql("SELECT bool_and(reter_ate = %s) FROM nfe"
               " WHERE status IN ('AUTORIZADA', 'CANCELADA', 'DENEGADA', 'INUTILIZADA')" % FIFTH_YEAR) == "t"


def test_an_old_date_does_not_make_a_document_erasable():
    draft = sql("SELECT id FROM nfe WHERE n_nf IS NULL LIMIT 1")
    old = ";\n".join((
        "UPDATE nfe SET dh_emi = '2010-02-03 12:00:00Z' WHERE id = '%s'" % draft, "SELECT nfe_numerar('%s')" % draft,
        moved(draft, "ASSINADA"), signature(draft), moved(draft, "ENVIADA", "PROCESSANDO"), answered(draft, "100"),
        moved(draft, "AUTORIZADA")))
    assert accepted("%s;\nSELECT reter_ate = %s FROM nfe WHERE id = '%s'" % (old, FIFTH_YEAR, draft)).endswith("t")
    refused("%s;\nDELETE FROM nfe WHERE id = '%s'" % (old, draft), "nao pode ser apagado")
    identity = document("AUTORIZADA")
    refused("%s;\nDELETE FROM nfe_evento WHERE nfe_id = '%s'" % (event(identity, at="'2010-02-03 12:00:00Z'"), identity),
            "ja registrado")
    refused("%s;\nUPDATE nfe_evento SET criado_em = '2010-01-01' WHERE nfe_id = '%s';\nDELETE FROM nfe_evento"
            " WHERE nfe_id = '%s'" % (event(identity, "210200", answer="NULL, NULL", at="'2010-02-03 12:00:00Z'")
                                      + ";\nUPDATE nfe_evento SET c_stat = '135', n_prot = '135260000000008'"
                                        " WHERE tp_evento = '210200'", identity, identity), "ja registrado")
    refused(voiding(identity, "7000").replace("ID3526", "ID3510").replace("'26'", "'10'")
            + ";\nDELETE FROM nfe_inutilizacao WHERE ano = '10'", "ja registrado")


def test_times_are_those_of_the_layout():
    for time in ("2000-01-01T00:00:00+12:00", "2000-01-01T00:00:00-03:00", "2099-12-31T23:59:59-11:00"):
        accepted("SELECT '%s'::tdate_time_utc" % time)
    for time in ("1999-12-31T23:59:59+12:00", "2100-01-01T00:00:00-11:00"):
        refused("SELECT '%s'::tdate_time_utc" % time, "tdate_time_utc_check")


def test_each_company_of_the_demonstration_sells_goods_of_its_trade():
    trades = sql("SELECT string_agg(DISTINCT left(ncm, 2), ' ' ORDER BY left(ncm, 2)) FROM produtos"
                 " JOIN empresas e ON e.id = empresa_id GROUP BY nome_fantasia ORDER BY nome_fantasia").split("\n")
    assert trades == ["82 90", "40 48 96"], trades
    assert sql("SELECT count(*) FROM nfe_item JOIN produtos p ON p.id = produto_id WHERE x_prod::text <> descricao::text"
               " OR nfe_item.ncm::text <> p.ncm::text") == "0"


def test_a_wrong_key_or_registration_is_refused():
    draft = document("CRIADA")
    refused("UPDATE nfe SET chave_acesso = left(chave_acesso::text, 43) || (9 - right(chave_acesso::text, 1)::int)"
            " WHERE id = '%s'" % draft, "nfe_regras")
    refused("UPDATE nfe SET c_nf = '12345678' WHERE id = '%s'; UPDATE nfe SET status = 'ASSINADA' WHERE id = '%s'"
            % (draft, draft), "chave difere dos dados")
    refused("INSERT INTO pessoas (tipo, cnpj, nome) VALUES ('J', '11222333000182', 'Alguem')", "pessoas_regras")
    refused("INSERT INTO pessoas (tipo, cpf, nome) VALUES ('F', '11144477736', 'Alguem')", "pessoas_regras")
    refused("INSERT INTO empresas (cnpj) VALUES ('11222333000182')", "tcnpj_dv")
    refused("UPDATE nfe_emitente SET cnpj = '1122233300018' WHERE nfe_id = '%s'" % draft, "tcnpj_check")
    refused("UPDATE nfe_emitente SET cpf = '11144477735' WHERE nfe_id = '%s'" % draft, "nfe_emitente_regras")


# Texts that are the application's own and may hold anything.
FREE = {"empresa_certificados": {"referencia", "titular"}, "regras_tributarias": {"fundamento"},
        "nfe_status_historico": {"motivo", "usuario"}, "nfe_lote": {"x_motivo"},
        "nfe_evento": {"x_motivo", "ver_evento"}, "nfe_inutilizacao": {"x_motivo"}, "nfe_protocolo": {"id_prot"},
        "nfe_validacao": {"regra", "caminho", "mensagem"}}
UNCHECKED = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.atttypid = 'varchar'::regtype
  AND NOT EXISTS (SELECT FROM pg_constraint k
                  WHERE k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey))
"""


def test_a_text_without_a_domain_is_checked_by_its_table():
    unchecked = {tuple(line.split("|")) for line in sql(UNCHECKED).splitlines()}
    assert unchecked == {(table, column) for table, columns in FREE.items() for column in columns}, unchecked
    draft = document("CRIADA")
    insert = "INSERT INTO %s (nfe_id, %s) VALUES ('" + draft + "', %s)"
    for table, columns, right, wrong in (
            ("nfe_compra", "x_ped", "'7 A'", ("'7 '", "''", "' 7'", "E'7\\n'", "'\u20ac'")),
            ("nfe_transportadora", "x_nome", "'Ab'", ("'A'", "'Ab '")),
            ("nfe_transportadora", "cpf", "'11144477735'", ("'1114447773'", "'1114447773X'")),
            ("nfe_transportadora", "ie", "'ISENTO'", ("'isento'", "'1'")),
            ("nfe_ref_chave", "ordem, tipo, chave", "1, 'refNFe', repeat('1', 44)",
             ("1, 'refNFe', repeat('1', 43)", "1, 'refNFe', repeat('A', 44)", "1, 'ref', repeat('1', 44)")),
            ("nfe_item_nve", "n_item, ordem, nve", "1, 1, 'AB1234'", ("1, 1, 'ab1234'", "1, 1, 'AB123'")),
            ("nfe_item_papel", "n_item, n_recopi", "1, repeat('1', 20)",
             ("1, repeat('1', 19)", "1, repeat('x', 20)")),
            ("nfe_ref_ecf", "ordem, mod, n_ecf, n_coo", "1, '2B', '1', '1'",
             ("1, '2A', '1', '1'", "1, '2B', '', '1'"))):
        accepted(insert % (table, columns, right))
        for values in wrong:
            refused(insert % (table, columns, values), table + "_regras")


def test_a_wrong_choice_is_refused():
    draft = document("CRIADA")
    for table, change in (
            ("nfe_item_pis", "grupo = 'PISNT'"), ("nfe_item_pis", "cst = '04'"), ("nfe_item_pis", "p_pis = NULL"),
            ("nfe_item_pis", "q_bc_prod = 1"), ("nfe_item_cofins", "grupo = 'COFINSX'"),
            ("nfe_item_icms", "grupo = 'ICMS10'"), ("nfe_item_icms", "v_icms_st_dest = 1.00"),
            ("nfe_item_icms", "p_fcp = 2.00"), ("nfe_item_icms", "v_icms_deson = 1.00, mot_des_icms = '9'"),
            ("nfe_item_ibscbs", "grupo = 'gTransfCred'"), ("nfe_destinatario", "cpf = '11144477735'"),
            ("nfe_destinatario", "tem_endereco = false"), ("nfe_transporte", "vagao = '1'")):
        refused("UPDATE %s SET %s WHERE nfe_id = '%s'" % (table, change, draft), table + "_regras")


def test_choices_between_tables_are_checked_when_a_document_is_signed():
    draft = document("CRIADA")
    sign = ";\nUPDATE nfe SET status = 'ASSINADA' WHERE id = '%s'" % draft
    for change, says in (
            ("DELETE FROM nfe_item_icms WHERE nfe_id = '%s'", "impostos diferem do grupo ICMS"),
            ("UPDATE nfe_item SET produto_especifico = 'comb' WHERE nfe_id = '%s'", "produto especifico"),
            ("DELETE FROM nfe_item_ibscbs_tributo WHERE tributo = 'gCBS' AND nfe_id = '%s'", "IBSCBS difere"),
            ("DELETE FROM nfe_pagamento WHERE nfe_id = '%s'", "sem pagamento"),
            ("DELETE FROM nfe_item WHERE nfe_id = '%s'", "sem itens"),
            ("UPDATE nfe_transporte SET grupo = 'rodoviario' WHERE nfe_id = '%s'", "veiculos")):
        refused(change % draft + sign, says)


def test_decimals_and_offsets_come_back_as_they_were_written():
    draft = document("CRIADA")
    for written in ("18.00", "18.0000", "18", "0"):
        assert sql("BEGIN; UPDATE nfe_item_pis SET p_pis = %s WHERE nfe_id = '%s' AND n_item = 1"
                   " RETURNING p_pis; ROLLBACK" % (written, draft)) == written
    for written in ("18.5", "-1.00", "1000", "'NaN'"):
        refused("UPDATE nfe_item_pis SET p_pis = %s WHERE nfe_id = '%s'" % (written, draft), "tdec_0302a04_check")
    refused("UPDATE nfe SET dh_sai_ent = now() WHERE id = '%s'" % draft, "nfe_regras")
    refused("UPDATE nfe SET nat_op = 'Venda ' WHERE id = '%s'" % draft, "tstring_60_check")


def test_a_place_made_from_a_dump_of_the_pack_is_the_same():
    stamp = shared_server().tenantry("blueprint", "stamp", "nfe")
    assert "is not the same" not in (stamp["reason"] or ""), stamp["reason"]


DRAFTS = """
INSERT INTO nfe (id, empresa_id, c_uf, nat_op, mod, serie, dh_emi, dh_emi_fuso, tp_nf, id_dest, c_mun_fg, tp_imp,
                 tp_emis, tp_amb, fin_nfe, ind_final, ind_pres, proc_emi, ver_proc)
SELECT md5('draft:' || n)::uuid, empresa_id, 35, 'Venda', '55', 1, dh_emi, -3, 1, 1, '3550308', '1', '1', '2', '1', 0,
       '9', 0, 'test' FROM generate_series(1, 40) AS n, (SELECT * FROM nfe LIMIT 1) AS one;
INSERT INTO nfe_emitente (nfe_id, cnpj, x_nome, ie, crt, x_lgr, nro, x_bairro, c_mun, x_mun, uf, cep)
SELECT n.id, e.cnpj, e.razao_social, e.ie, e.crt, e.x_lgr, e.nro, e.x_bairro, e.c_mun, e.x_mun, e.uf, e.cep
FROM nfe AS n JOIN empresas AS e ON e.id = n.empresa_id WHERE n.ver_proc = 'test'
ON CONFLICT DO NOTHING;
"""


def test_a_number_that_a_document_has_is_passed_over():
    draft = sql("SELECT id FROM nfe WHERE n_nf IS NULL LIMIT 1")
    free = sql("SELECT proximo_numero FROM empresa_series AS s JOIN nfe AS n USING (empresa_id, tp_amb, mod, serie)"
               " WHERE n.id = '%s'" % draft)
    assert int(free) > 2
    assert accepted("UPDATE empresa_series SET proximo_numero = 2;\nSELECT nfe_numerar('%s')" % draft) == free


def test_two_sessions_never_get_one_number():
    sql(DRAFTS)

    def number(first):
        sql("\n".join("SELECT nfe_numerar(md5('draft:%d')::uuid);" % n for n in range(first, 41, 2)))

    threads = [threading.Thread(target=number, args=(first,)) for first in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = sql("SELECT count(DISTINCT n_nf), max(n_nf) - min(n_nf), bool_and(chave_acesso = com_dv(left(chave_acesso, 43)))"
                " FROM nfe WHERE ver_proc = 'test'")
    assert given == "40|39|t", given


def test_a_number_that_is_being_given_locks_its_series():
    taken = ("SELECT nfe_numerar(id) FROM nfe WHERE id = (SELECT id FROM nfe WHERE n_nf IS NULL"
             " ORDER BY ver_proc DESC, id")
    sql(DRAFTS.replace("draft:", "other:"))
    with harness.Session(tenant()["app"]) as first:
        first.ask("BEGIN;\n%s LIMIT 1);" % taken)
        refused("SET LOCAL lock_timeout = '1ms';\n%s OFFSET 1 LIMIT 1)" % taken, 'in relation "empresa_series"')


if __name__ == "__main__":
    harness.main()
