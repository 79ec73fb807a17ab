-- Enumerations and domains: each type of the layout once, with its pattern, range and length.
-- A check in a domain is kept once for all columns of the type. Decimals are numeric without a
-- declared scale, so that 18.00 and 18.0000 come back as they were written. Lists of texts are ANY of
-- an array: pg_dump does not write IN over varchar back unchanged.

CREATE TYPE uf_type AS ENUM ('AC', 'AL', 'AM', 'AP', 'BA', 'CE', 'DF', 'ES', 'GO', 'MA', 'MG', 'MS', 'MT', 'PA', 'PB',
        'PE', 'PI', 'PR', 'RJ', 'RN', 'RO', 'RR', 'RS', 'SC', 'SE', 'SP', 'TO', 'EX');
CREATE TYPE status_nfe AS ENUM ('CRIADA', 'ASSINADA', 'ENVIADA', 'PROCESSANDO', 'AUTORIZADA', 'REJEITADA', 'DENEGADA',
        'CANCELADA', 'INUTILIZADA');
CREATE TYPE modelo_documento AS ENUM ('55', '65');
CREATE TYPE tp_amb AS ENUM ('1', '2');
CREATE TYPE tp_emis AS ENUM ('1', '2', '3', '4', '5', '6', '7', '9');
CREATE TYPE tp_imp AS ENUM ('0', '1', '2', '3', '4', '5', '6');
CREATE TYPE fin_nfe AS ENUM ('1', '2', '3', '4', '5', '6');
CREATE TYPE tp_nf_debito AS ENUM ('01', '02', '03', '04', '05', '06', '07', '08');
CREATE TYPE tp_nf_credito AS ENUM ('01', '02', '03', '04', '05', '06');
CREATE TYPE ind_pres AS ENUM ('0', '1', '2', '3', '4', '5', '9');
CREATE TYPE crt AS ENUM ('1', '2', '3', '4');
CREATE TYPE ind_ie_dest AS ENUM ('1', '2', '9');
CREATE TYPE mod_frete AS ENUM ('0', '1', '2', '3', '4', '9');
CREATE TYPE origem_mercadoria AS ENUM ('0', '1', '2', '3', '4', '5', '6', '7', '8');
CREATE TYPE cst_icms AS ENUM ('00', '02', '10', '15', '20', '30', '40', '41', '50', '51', '53', '60', '61', '70', '90');
CREATE TYPE csosn_type AS ENUM ('101', '102', '103', '201', '202', '203', '300', '400', '500', '900');
CREATE TYPE mod_bc AS ENUM ('0', '1', '2', '3');
CREATE TYPE mod_bc_st AS ENUM ('0', '1', '2', '3', '4', '5', '6');
CREATE TYPE mot_des_icms AS ENUM ('1', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '16', '90');
CREATE TYPE ind_iss AS ENUM ('1', '2', '3', '4', '5', '6', '7');

-- Keys and registrations.
CREATE DOMAIN tch_nfe AS varchar(44)
    CHECK (VALUE ~ '^[0-9]{6}[0-9A-Z]{12}[0-9]{26}$');
CREATE DOMAIN tcnpj AS varchar(14)
    CHECK (VALUE ~ '^[0-9A-Z]{12}[0-9]{2}$');
CREATE DOMAIN tcnpj_opc AS varchar(14)
    CHECK (VALUE ~ '^([0-9A-Z]{12}[0-9]{2})?$');
CREATE DOMAIN tcpf AS varchar(11)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) = 11);
CREATE DOMAIN tid_estrangeiro AS varchar(20)
    CHECK (VALUE !~ '[^!-\u00ff]' AND length(VALUE) NOT BETWEEN 1 AND 4);
CREATE DOMAIN tie AS varchar(14)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) >= 2 OR VALUE = 'ISENTO');

-- Codes.
CREATE DOMAIN tbeneficio AS varchar(10)
    CHECK (VALUE !~ '[^!-\u00ff]' AND length(VALUE) IN (8, 10));
CREATE DOMAIN tbeneficio_opc AS varchar(10)
    CHECK (VALUE !~ '[^!-\u00ff]' AND length(VALUE) IN (0, 8, 10) OR VALUE = 'SEM CBENEF');
CREATE DOMAIN tcfop AS varchar(4)
    CHECK (VALUE ~ '^[123567][0-9]{3}$');
CREATE DOMAIN tclist_serv AS varchar(5)
    CHECK (VALUE ~ '^[0-9]{2}\.[0-9]{2}$');
CREATE DOMAIN tcod_s_n AS varchar(1)
    CHECK (VALUE = ANY ('{S, N}'::text[]));
CREATE DOMAIN tgtin AS varchar(14)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) IN (0, 8, 12, 13, 14) OR VALUE = 'SEM GTIN');
CREATE DOMAIN tguid AS varchar(36)
    CHECK (VALUE ~ '^[A-F0-9]{8}(-[A-F0-9]{4}){3}-[A-F0-9]{12}$');
CREATE DOMAIN tncm AS varchar(8)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) IN (2, 8));
CREATE DOMAIN tnome_pais_emitente AS varchar(6)
    CHECK (VALUE = ANY ('{Brasil, BRASIL}'::text[]));
CREATE DOMAIN tpais_emitente AS varchar(4)
    CHECK (VALUE = '1058');
CREATE DOMAIN tprod_anvisa AS varchar(13)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) IN (11, 13) OR VALUE = 'ISENTO');

-- Digits.
CREATE DOMAIN tdig_0_12 AS varchar(12)
    CHECK (VALUE !~ '[^0-9]');
CREATE DOMAIN tdig_1 AS varchar(1)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) = 1);
CREATE DOMAIN tdig_1_12 AS varchar(12)
    CHECK (VALUE !~ '[^0-9]' AND VALUE <> '');
CREATE DOMAIN tdig_1_15 AS varchar(15)
    CHECK (VALUE !~ '[^0-9]' AND VALUE <> '');
CREATE DOMAIN tdig_1_21 AS varchar(21)
    CHECK (VALUE !~ '[^0-9]' AND VALUE <> '');
CREATE DOMAIN tdig_1_3 AS varchar(3)
    CHECK (VALUE !~ '[^0-9]' AND VALUE <> '');
CREATE DOMAIN tdig_1_4 AS varchar(4)
    CHECK (VALUE !~ '[^0-9]' AND VALUE <> '');
CREATE DOMAIN tdig_1_6 AS varchar(6)
    CHECK (VALUE !~ '[^0-9]' AND VALUE <> '');
CREATE DOMAIN tdig_2 AS varchar(2)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) = 2);
CREATE DOMAIN tdig_2_14 AS varchar(14)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) >= 2);
CREATE DOMAIN tdig_2_3 AS varchar(3)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) >= 2);
CREATE DOMAIN tdig_3 AS varchar(3)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) = 3);
CREATE DOMAIN tdig_3_4 AS varchar(4)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) >= 3);
CREATE DOMAIN tdig_6 AS varchar(6)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) = 6);
CREATE DOMAIN tdig_6_14 AS varchar(14)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) >= 6);
CREATE DOMAIN tdig_7 AS varchar(7)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) = 7);
CREATE DOMAIN tdig_8 AS varchar(8)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) = 8);
CREATE DOMAIN tdig_8_9 AS varchar(9)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) >= 8);
CREATE DOMAIN tdig_9 AS varchar(9)
    CHECK (VALUE !~ '[^0-9]' AND length(VALUE) = 9);

-- Text: no blank at either end, U+0021 to U+00FF. The QR code has five forms: version 1, version 2
-- online and offline, version 3 online and offline.
CREATE DOMAIN tqr_code AS varchar(1000)
    CHECK (length(VALUE) >= 60 AND VALUE ~ ('^(HTTPS?|https?)://[^\n\r]*\?('
        'chNFe=[0-9]{6}[0-9A-Z]{12}[0-9]{26}&nVersao=100&tpAmb=[12](&cDest=([A-Za-z0-9.:+-/)(]{5,20})?)?'
        '&dhEmi=[A-Fa-f0-9]{50}&vNF=(0|0\.[0-9]{2}|[1-9][0-9]{0,12}(\.[0-9]{2})?)'
        '&vICMS=(0|0\.[0-9]{2}|[1-9][0-9]{0,12}(\.[0-9]{2})?)'
        '&digVal=[A-Fa-f0-9]{56}&cIdToken=[0-9]{6}&cHashQRCode=[A-Fa-f0-9]{40}'
        '|p=[0-9]{6}[0-9A-Z]{12}[0-9]{16}('
            '[134][0-9]{9}\|2\|[12]\|(0|[1-9][0-9]{0,5})\|[A-Fa-f0-9]{40}'
            '|9[0-9]{9}\|2\|[12]\|(0[1-9]|[12][0-9]|3[01])\|(0|0\.[0-9]{2}|[1-9][0-9]{0,12}(\.[0-9]{2})?)'
                '\|[A-Fa-f0-9]{56}\|(0|[1-9][0-9]{0,5})\|[A-Fa-f0-9]{40}'
            '|[134][0-9]{9}\|3\|[12]'
            '|9[0-9]{9}\|3\|[12]\|(0[1-9]|[12][0-9]|3[01])\|(0|0\.[0-9]{2}|[1-9][0-9]{0,12}(\.[0-9]{2})?)'
                '\|[123]?\|([0-9A-Z]{12}[0-9]{2})?\|[a-zA-Z0-9+/]+={0,2}'
        '))$'));
CREATE DOMAIN tstring_120 AS varchar(120)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$');
CREATE DOMAIN tstring_15 AS varchar(15)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$');
CREATE DOMAIN tstring_15_1000 AS varchar(1000)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(VALUE) >= 15);
CREATE DOMAIN tstring_15_255 AS varchar(255)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(VALUE) >= 15);
CREATE DOMAIN tstring_15_256 AS varchar(256)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(VALUE) >= 15);
CREATE DOMAIN tstring_20 AS varchar(20)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$');
CREATE DOMAIN tstring_2000 AS varchar(2000)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$');
CREATE DOMAIN tstring_21_85 AS varchar(85)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(VALUE) >= 21);
CREATE DOMAIN tstring_255 AS varchar(255)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$');
CREATE DOMAIN tstring_2_5000 AS varchar(5000)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(VALUE) >= 2);
CREATE DOMAIN tstring_2_60 AS varchar(60)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(VALUE) >= 2);
CREATE DOMAIN tstring_2_95 AS varchar(95)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(VALUE) >= 2);
CREATE DOMAIN tstring_3 AS varchar(3)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$');
CREATE DOMAIN tstring_30 AS varchar(30)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$');
CREATE DOMAIN tstring_3_30 AS varchar(30)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(VALUE) >= 3);
CREATE DOMAIN tstring_4_9 AS varchar(9)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(VALUE) >= 4);
CREATE DOMAIN tstring_500 AS varchar(500)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$');
CREATE DOMAIN tstring_5000 AS varchar(5000)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$');
CREATE DOMAIN tstring_6 AS varchar(6)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$');
CREATE DOMAIN tstring_60 AS varchar(60)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$');
CREATE DOMAIN tstring_6_60 AS varchar(60)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(VALUE) >= 6);
CREATE DOMAIN tstring_8 AS varchar(8)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$');
CREATE DOMAIN tstring_8_12 AS varchar(12)
    CHECK (VALUE ~ '^[!-\u00ff]([ -\u00ff]*[!-\u00ff])?$' AND length(VALUE) >= 8);

-- Small numbers.
CREATE DOMAIN tcod_uf_ibge AS smallint
    CHECK (VALUE IN (11, 12, 13, 14, 15, 16, 17, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31, 32, 33,
            35, 41, 42, 43, 50, 51, 52, 53));
CREATE DOMAIN tnf AS integer
    CHECK (VALUE BETWEEN 1 AND 999999999);
CREATE DOMAIN tnitem AS smallint
    CHECK (VALUE BETWEEN 1 AND 990);
CREATE DOMAIN tnseq_adic AS integer
    CHECK (VALUE BETWEEN 1 AND 99999);
CREATE DOMAIN topcao_0_1 AS smallint
    CHECK (VALUE BETWEEN 0 AND 1);
CREATE DOMAIN topcao_0_1_2_3_4_9 AS smallint
    CHECK (VALUE IN (0, 1, 2, 3, 4, 9));
CREATE DOMAIN topcao_0_3 AS smallint
    CHECK (VALUE BETWEEN 0 AND 3);
CREATE DOMAIN topcao_0_4 AS smallint
    CHECK (VALUE BETWEEN 0 AND 4);
CREATE DOMAIN topcao_0_5 AS smallint
    CHECK (VALUE BETWEEN 0 AND 5);
CREATE DOMAIN topcao_0_999 AS smallint
    CHECK (VALUE BETWEEN 0 AND 999);
CREATE DOMAIN topcao_1_1 AS smallint
    CHECK (VALUE = 1);
CREATE DOMAIN topcao_1_13 AS smallint
    CHECK (VALUE BETWEEN 1 AND 13);
CREATE DOMAIN topcao_1_2 AS smallint
    CHECK (VALUE BETWEEN 1 AND 2);
CREATE DOMAIN topcao_1_3 AS smallint
    CHECK (VALUE BETWEEN 1 AND 3);
CREATE DOMAIN topcao_1_31 AS smallint
    CHECK (VALUE BETWEEN 1 AND 31);
CREATE DOMAIN topcao_1_4 AS smallint
    CHECK (VALUE BETWEEN 1 AND 4);
CREATE DOMAIN topcao_1_6 AS smallint
    CHECK (VALUE BETWEEN 1 AND 6);
CREATE DOMAIN topcao_1_7 AS smallint
    CHECK (VALUE BETWEEN 1 AND 7);
CREATE DOMAIN topcao_1_9 AS smallint
    CHECK (VALUE IN (1, 9));
CREATE DOMAIN topcao_1_999 AS smallint
    CHECK (VALUE BETWEEN 1 AND 999);
CREATE DOMAIN tordem_10 AS smallint
    CHECK (VALUE BETWEEN 1 AND 10);
CREATE DOMAIN tordem_100 AS smallint
    CHECK (VALUE BETWEEN 1 AND 100);
CREATE DOMAIN tordem_120 AS smallint
    CHECK (VALUE BETWEEN 1 AND 120);
CREATE DOMAIN tordem_20 AS smallint
    CHECK (VALUE BETWEEN 1 AND 20);
CREATE DOMAIN tordem_30 AS smallint
    CHECK (VALUE BETWEEN 1 AND 30);
CREATE DOMAIN tordem_31 AS smallint
    CHECK (VALUE BETWEEN 1 AND 31);
CREATE DOMAIN tordem_4 AS smallint
    CHECK (VALUE BETWEEN 1 AND 4);
CREATE DOMAIN tordem_5 AS smallint
    CHECK (VALUE BETWEEN 1 AND 5);
CREATE DOMAIN tordem_50 AS smallint
    CHECK (VALUE BETWEEN 1 AND 50);
CREATE DOMAIN tordem_500 AS smallint
    CHECK (VALUE BETWEEN 1 AND 500);
CREATE DOMAIN tordem_5000 AS smallint
    CHECK (VALUE BETWEEN 1 AND 5000);
CREATE DOMAIN tordem_8 AS smallint
    CHECK (VALUE BETWEEN 1 AND 8);
CREATE DOMAIN tordem_99 AS smallint
    CHECK (VALUE BETWEEN 1 AND 99);
CREATE DOMAIN tordem_999 AS smallint
    CHECK (VALUE BETWEEN 1 AND 999);
CREATE DOMAIN tuf_emi AS uf_type
    CHECK (VALUE <> 'EX');

-- Decimals.
CREATE DOMAIN taliq_interestadual AS numeric
    CHECK (VALUE IN (4, 7, 12) AND scale(VALUE) = 2);
CREATE DOMAIN tdec_0302max100 AS numeric
    CHECK (VALUE >= 0 AND VALUE <= 100 AND scale(VALUE) IN (0, 2));
CREATE DOMAIN tdec_0302a04 AS numeric
    CHECK (VALUE >= 0 AND VALUE < 1000 AND scale(VALUE) IN (0, 2, 3, 4));
CREATE DOMAIN tdec_0302a04max100 AS numeric
    CHECK (VALUE >= 0 AND VALUE <= 100 AND scale(VALUE) IN (0, 2, 3, 4));
CREATE DOMAIN tdec_0302a04opc AS numeric
    CHECK (VALUE >= 0 AND VALUE < 1000 AND scale(VALUE) IN (0, 2, 3, 4) AND (VALUE > 0 OR
            scale(VALUE) > 0));
CREATE DOMAIN tdec_03v00a04max100opc AS numeric
    CHECK (VALUE > 0 AND VALUE <= 100 AND scale(VALUE) <= 4);
CREATE DOMAIN tdec_0803v AS numeric
    CHECK (VALUE >= 0 AND VALUE < 1e8 AND scale(VALUE) <= 3 AND (VALUE >= 1 OR scale(VALUE) IN
            (0, 3)));
CREATE DOMAIN tdec_1104 AS numeric
    CHECK (VALUE >= 0 AND VALUE < 1e11 AND scale(VALUE) IN (0, 4));
CREATE DOMAIN tdec_1104op_rtc AS numeric
    CHECK (VALUE > 0 AND VALUE < 1e11 AND scale(VALUE) IN (0, 4));
CREATE DOMAIN tdec_1104v AS numeric
    CHECK (VALUE >= 0 AND VALUE < 1e11 AND scale(VALUE) <= 4);
CREATE DOMAIN tdec_1110v AS numeric
    CHECK (VALUE >= 0 AND VALUE < 1e11 AND scale(VALUE) <= 10);
CREATE DOMAIN tdec_1203 AS numeric
    CHECK (VALUE >= 0 AND VALUE < 1e12 AND scale(VALUE) IN (0, 3));
CREATE DOMAIN tdec_1204 AS numeric
    CHECK (VALUE >= 0 AND VALUE < 1e12 AND (scale(VALUE) IN (0, 4) OR scale(VALUE) < 4 AND VALUE
            < 1));
CREATE DOMAIN tdec_1204temperatura AS numeric
    CHECK (VALUE > 0 AND VALUE < 1e12 AND scale(VALUE) IN (0, 4));
CREATE DOMAIN tdec_1204v AS numeric
    CHECK (VALUE >= 0 AND VALUE < 1e12 AND scale(VALUE) <= 4);
CREATE DOMAIN tdec_1302 AS numeric
    CHECK (VALUE >= 0 AND VALUE < 1e13 AND scale(VALUE) IN (0, 2));
CREATE DOMAIN tdec_1302opc AS numeric
    CHECK (VALUE > 0 AND VALUE < 1e13 AND scale(VALUE) IN (0, 2));

-- Dates and times, of 2000 to 2099 at the offset that they were written with (+12 to -11).
CREATE DOMAIN tcompet_apur AS varchar(7)
    CHECK (VALUE ~ '^20[0-9]{2}-(0[1-9]|1[0-2])$' AND VALUE >= '2025-01');
CREATE DOMAIN tdata AS date
    CHECK (VALUE BETWEEN '2000-01-01' AND '2099-12-31');
CREATE DOMAIN tdate_time_utc AS timestamptz(0)
    CHECK (VALUE >= '2000-01-01 00:00:00+12' AND VALUE < '2100-01-01 00:00:00-11');
CREATE DOMAIN tdeslocamento AS smallint
    CHECK (VALUE BETWEEN -11 AND 12);
CREATE DOMAIN tmes_ano AS varchar(7)
    CHECK (VALUE ~ '^(0[1-9]|1[0-2])/2[0-9]{3}$');

-- A number with its check digits: the first 12 of a CNPJ and the first 9 of a CPF get two, the first 43 of a
-- key gets one. A letter counts as its ASCII code less 48, a digit as itself, in all of them. The weights run
-- from 2 at the right up to 9, of a CPF up to 12, and begin again.
-- A loop: it is called for every key of every move, and a query would be set up anew each time.
CREATE FUNCTION com_dv(base text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    maior_peso integer := CASE length(base) WHEN 9 THEN 12 ELSE 9 END;
    numero     text := base;
    tamanho    integer;
    soma       integer;
BEGIN
    FOR n IN 1 .. CASE length(base) WHEN 43 THEN 1 ELSE 2 END LOOP
        tamanho := length(numero);
        soma := 0;
        FOR i IN 1 .. tamanho LOOP
            soma := soma + (ascii(substr(numero, i, 1)) - 48) * (2 + (tamanho - i) % (maior_peso - 1));
        END LOOP;
        numero := numero || CASE WHEN soma % 11 < 2 THEN 0 ELSE 11 - soma % 11 END;
    END LOOP;
    RETURN numero;
END
$$;

CREATE DOMAIN tcnpj_dv AS varchar(14)
    CHECK (VALUE ~ '^[0-9A-Z]{12}[0-9]{2}$' AND VALUE <> '00000000000000'
        AND VALUE = com_dv(left(VALUE, 12)));
CREATE DOMAIN tcpf_dv AS varchar(11)
    CHECK (VALUE ~ '^[0-9]{11}$' AND VALUE <> repeat(left(VALUE, 1), 11)
        AND VALUE = com_dv(left(VALUE, 9)));
