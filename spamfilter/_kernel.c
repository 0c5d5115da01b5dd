/* Compiled loops of spamfilter.text, spamfilter.features and spamfilter.segment.

   Every function here has a twin in NumPy or Python there (text.py, hashing.py, relatedness.py, company.py, links.py,
   letters.py, signals.py, blocktext.py, hints.py)
   that defines what it computes; a test compares the two.  The twin is used where no compiler was at hand when the package was installed.

   Only the buffer protocol and the limited API are used: no NumPy headers, one binary for all Pythons from 3.11.
   Arrays come checked from Python (type, contiguity, length); nothing here allocates more than a small multiple of the
   longest text. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Raised whenever what a loop takes or gives changes, together with compiled.VERSION: loops that were built from another
   state of the source would write beside their arrays. */
#define VERSION 2

enum { SPACE = 0, NEWLINE = 1, LATIN = 2, DIGIT = 3, GREEK = 5, FULLWIDTH = 13, FANCY = 14, HAN = 15, KANA = 16, STOP = 17, BRACKET = 21, EMOJI = 25,
       OTHER_PUNCTUATION = 23, INVISIBLE = 26, CONTROL = 27, SEPARATOR = 28 };

#define POWER_BASE 0x9E3779B97F4A7C15ULL /* 2^64 / golden ratio, odd: also the base of the polynomial hash */
#define MIX 0xD6E8FEB86659FD93ULL        /* multiplier of the final mix (rrmxmx family), odd */
#define SALT_STEP 0xA0761D6478BD642FULL  /* tells apart grams of different length and kind */
#define COUNT_CAP 1023                   /* counts above it do not matter to log1p(count) */

static inline int is_word(uint8_t c) { return c >= LATIN && c <= FANCY; }
static inline int is_cjk(uint8_t c) { return c == HAN || c == KANA; }
static inline int is_run(uint8_t c) { return c >= LATIN && c <= KANA; }
static inline int is_gap(uint8_t c) { return c <= NEWLINE || c >= INVISIBLE; }

static inline uint64_t mix(uint64_t h) {
    h ^= h >> 32;
    h *= MIX;
    h ^= h >> 29;
    return h * POWER_BASE;
}

static double LOG1P[COUNT_CAP + 1]; /* filled when the module is imported */
static inline double log1p_of(uint32_t count) { return count <= COUNT_CAP ? LOG1P[count] : log1p((double)count); }

/* ---- a counter of gram numbers: open addressing, cleared for each text */
typedef struct {
    uint32_t *key; /* number + 1, 0 = free */
    uint32_t *count;
    int64_t *where; /* place in the output, for the counting mode */
    uint64_t mask;
    uint64_t room;
} Counter;

static int counter_init(Counter *c, uint64_t room, int with_where) {
    uint64_t size = 64;
    while (size < room) size <<= 1;
    c->room = size;
    c->mask = size - 1;
    c->key = calloc(size, sizeof(uint32_t));
    c->count = malloc(size * sizeof(uint32_t));
    c->where = with_where ? malloc(size * sizeof(int64_t)) : NULL;
    return c->key && c->count && (!with_where || c->where);
}

static void counter_free(Counter *c) {
    free(c->key);
    free(c->count);
    free(c->where);
}

/* Use only as much of the table as this text needs, so that clearing it costs what the text costs. */
static void counter_clear(Counter *c, uint64_t grams) {
    uint64_t size = 64;
    while (size < 2 * grams && size < c->room) size <<= 1;
    c->mask = size - 1;
    memset(c->key, 0, size * sizeof(uint32_t));
}

static inline uint64_t slot(const Counter *c, uint32_t number) {
    uint64_t i = ((uint64_t)number * 0x9E3779B1u) & c->mask;
    while (c->key[i] && c->key[i] != number + 1) i = (i + 1) & c->mask;
    return i;
}

/* ---- hashed n-grams */
typedef struct {
    Counter counter[2];
    int32_t *out_index;
    int32_t *out_count;
    int64_t used;
    int32_t offset[2];
    int shift[2];
} Sink;

static inline void put(Sink *s, int t, uint64_t hash) {
    uint32_t number = (uint32_t)(hash >> s->shift[t]);
    Counter *c = &s->counter[t];
    uint64_t i = slot(c, number);
    if (!c->key[i]) {
        c->key[i] = number + 1;
        c->where[i] = s->used;
        s->out_index[s->used] = (int32_t)number + s->offset[t];
        s->out_count[s->used++] = 0;
    }
    int32_t *count = &s->out_count[c->where[i]];
    if (*count < COUNT_CAP) ++*count;
}

static void word_grams(Sink *s, const uint32_t *p, const uint8_t *c, int64_t a, int64_t b, uint64_t salt) {
    uint64_t before = 0;
    int have = 0;
    for (int64_t i = a; i < b;) {
        if (is_gap(c[i])) {
            i++;
            continue;
        }
        uint64_t h = 0, power = 1;
        if (is_word(c[i])) {
            do {
                h += p[i] * power;
                power *= POWER_BASE;
                i++;
            } while (i < b && is_word(c[i]));
        } else
            h = p[i++];
        put(s, 0, mix(h + salt));
        if (have) put(s, 0, mix(before * MIX + h + salt + SALT_STEP));
        before = h;
        have = 1;
    }
}

static void char_grams(Sink *s, const uint32_t *p, const uint8_t *c, int64_t a, int64_t b, uint64_t salt) {
    static const uint64_t P1 = POWER_BASE, P2 = POWER_BASE * POWER_BASE;
    static const uint64_t P3 = POWER_BASE * POWER_BASE * POWER_BASE;
    static const uint64_t P4 = POWER_BASE * POWER_BASE * POWER_BASE * POWER_BASE;
    for (int64_t i = a; i < b;) {
        if (!is_run(c[i])) {
            i++;
            continue;
        }
        int64_t e = i;
        while (e < b && is_run(c[e])) e++;
        int64_t n = e - i; /* the run, with a blank on either side, is at[0..n+1] */
#define AT(k) ((k) == 0 || (k) == n + 1 ? (uint64_t)' ' : (uint64_t)p[i + (k) - 1])
        for (int64_t k = 0; k <= n; k++) {
            uint64_t h = AT(k) + AT(k + 1) * P1;
            put(s, 1, mix(h + salt + 2 * SALT_STEP));
            if (k + 2 > n + 1) continue;
            h += AT(k + 2) * P2;
            put(s, 1, mix(h + salt + 3 * SALT_STEP));
            if (k + 3 > n + 1) continue;
            h += AT(k + 3) * P3;
            put(s, 1, mix(h + salt + 4 * SALT_STEP));
            if (k + 4 > n + 1) continue;
            h += AT(k + 4) * P4;
            put(s, 1, mix(h + salt + 5 * SALT_STEP));
        }
#undef AT
        i = e;
    }
}

static int64_t longest(const int64_t *starts, int64_t n) {
    int64_t most = 0;
    for (int64_t i = 0; i < n; i++)
        if (starts[i + 1] - starts[i] > most) most = starts[i + 1] - starts[i];
    return most;
}

static void one_text(Sink *s, const uint32_t *p, const uint8_t *c, int64_t a, int64_t b, uint64_t salt) {
    int64_t n = b - a;
    for (int t = 0; t < 2; t++) counter_clear(&s->counter[t], (uint64_t)(t ? 6 * n : 2 * n));
    word_grams(s, p, c, a, b, salt);
    char_grams(s, p, c, a, b, salt);
}

static int sink_init(Sink *s, int64_t most, int word_bits, int char_bits) {
    memset(s, 0, sizeof *s);
    s->shift[0] = 64 - word_bits;
    s->shift[1] = 64 - char_bits;
    s->offset[1] = 1 << word_bits;
    return counter_init(&s->counter[0], (uint64_t)(4 * most + 64), 1) &&
           counter_init(&s->counter[1], (uint64_t)(12 * most + 64), 1);
}

static void sink_free(Sink *s) {
    counter_free(&s->counter[0]);
    counter_free(&s->counter[1]);
}

static PyObject *release(Py_buffer *b, int n, PyObject *result) {
    for (int i = 0; i < n; i++) PyBuffer_Release(&b[i]);
    return result;
}

PyDoc_STRVAR(ngram_counts_doc, "ngram_counts(points, classes, starts, word_bits, char_bits, salt, index, count, ptr) -> int");
static PyObject *ngram_counts(PyObject *self, PyObject *args) {
    Py_buffer v[6];
    int word_bits, char_bits;
    unsigned long long salt;
    if (!PyArg_ParseTuple(args, "y*y*y*iiKw*w*w*", &v[0], &v[1], &v[2], &word_bits, &char_bits, &salt, &v[3], &v[4], &v[5]))
        return NULL;
    const int64_t *starts = v[2].buf;
    int64_t n = v[2].len / 8 - 1, *ptr = v[5].buf;
    Sink s;
    int ok = sink_init(&s, longest(starts, n), word_bits, char_bits);
    if (ok) {
        s.out_index = v[3].buf;
        s.out_count = v[4].buf;
        Py_BEGIN_ALLOW_THREADS;
        ptr[0] = 0;
        for (int64_t i = 0; i < n; i++) {
            one_text(&s, v[0].buf, v[1].buf, starts[i], starts[i + 1], salt);
            ptr[i + 1] = s.used;
        }
        Py_END_ALLOW_THREADS;
    }
    sink_free(&s);
    return release(v, 6, ok ? PyLong_FromLongLong(s.used) : PyErr_NoMemory());
}

/* The weighted sum needs no list of the distinct grams: numbers are gathered first, then counted in a table with one
   place for each number (kept by the caller, all zero between calls), and the places that were used are cleared. */
#define PENDING 16384  /* grams gathered before they are counted: 64 KB, stays in the caches */
#define TABLES_MAX 4

typedef struct {
    uint32_t pending[PENDING + 8];
    int64_t waiting;
    int64_t edge; /* pending[0 .. edge) are words, the rest characters */
    int overflowed;
    uint16_t *count[2];
    const float *weights[2][TABLES_MAX];
    int tables;
    const double *delta;
    double sum[2][TABLES_MAX];
    int64_t distinct[2];
} Adder;

static void add_some(Adder *s, int64_t a, int64_t b, int kind) {
    uint16_t *count = s->count[kind];
    const double *delta = s->delta;
    int64_t distinct = 0;
    if (s->tables == 2) {
        const float *w0 = s->weights[kind][0], *w1 = s->weights[kind][1];
        double x = s->sum[kind][0], y = s->sum[kind][1];
        for (int64_t i = a; i < b; i++) {
            uint32_t g = s->pending[i];
            uint32_t k = count[g];
            double d = delta[k];
            distinct += k == 0;
            count[g] = (uint16_t)(k + (k < COUNT_CAP));
            x += (double)w0[g] * d;
            y += (double)w1[g] * d;
        }
        s->sum[kind][0] = x;
        s->sum[kind][1] = y;
    } else
        for (int64_t i = a; i < b; i++) {
            uint32_t g = s->pending[i];
            uint32_t k = count[g];
            distinct += k == 0;
            count[g] = (uint16_t)(k + (k < COUNT_CAP));
            for (int t = 0; t < s->tables; t++) s->sum[kind][t] += (double)s->weights[kind][t][g] * delta[k];
        }
    s->distinct[kind] += distinct;
}

static void add_pending(Adder *s) {
    int64_t edge = s->edge < 0 ? s->waiting : s->edge;
    add_some(s, 0, edge, 0);
    add_some(s, edge, s->waiting, 1);
}

/* Called where no more than eight grams follow before the next call. */
static inline void make_room(Adder *s) {
    if (s->waiting < PENDING) return;
    add_pending(s);
    s->overflowed = 1;
    s->waiting = 0;
    if (s->edge >= 0) s->edge = 0;
}

static void gather_words(Adder *s, const uint32_t *p, const uint8_t *c, int64_t a, int64_t b, uint64_t salt, int shift) {
    uint64_t before = 0;
    int have = 0;
    for (int64_t i = a; i < b;) {
        if (is_gap(c[i])) {
            i++;
            continue;
        }
        uint64_t h = 0, power = 1;
        if (is_word(c[i])) {
            do {
                h += p[i] * power;
                power *= POWER_BASE;
                i++;
            } while (i < b && is_word(c[i]));
        } else
            h = p[i++];
        make_room(s);
        s->pending[s->waiting++] = (uint32_t)(mix(h + salt) >> shift);
        if (have) s->pending[s->waiting++] = (uint32_t)(mix(before * MIX + h + salt + SALT_STEP) >> shift);
        before = h;
        have = 1;
    }
}

static void gather_chars(Adder *s, const uint32_t *p, const uint8_t *c, int64_t a, int64_t b, uint64_t salt, int shift) {
    static const uint64_t P1 = POWER_BASE, P2 = POWER_BASE * POWER_BASE;
    static const uint64_t P3 = POWER_BASE * POWER_BASE * POWER_BASE;
    static const uint64_t P4 = POWER_BASE * POWER_BASE * POWER_BASE * POWER_BASE;
    const uint64_t s2 = salt + 2 * SALT_STEP, s3 = salt + 3 * SALT_STEP, s4 = salt + 4 * SALT_STEP, s5 = salt + 5 * SALT_STEP;
    for (int64_t i = a; i < b;) {
        if (!is_run(c[i])) {
            i++;
            continue;
        }
        /* characters of the run with a blank on either side: five of them in a window that slides */
        int64_t e = i;
        while (e < b && is_run(c[e])) e++;
        uint64_t x0 = ' ', x1 = p[i], x2 = i + 1 < e ? p[i + 1] : ' ', x3 = i + 2 < e ? p[i + 2] : ' ';
        int64_t left = e - i; /* grams of two that are still to come, less one */
        for (int64_t k = i; left >= 0; k++, left--) {
            uint64_t x4 = k + 3 < e ? p[k + 3] : ' ', h = x0 + x1 * P1;
            make_room(s);
            uint32_t *to = s->pending + s->waiting;
            to[0] = (uint32_t)(mix(h + s2) >> shift);
            h += x2 * P2;
            to[1] = (uint32_t)(mix(h + s3) >> shift);
            h += x3 * P3;
            to[2] = (uint32_t)(mix(h + s4) >> shift);
            h += x4 * P4;
            to[3] = (uint32_t)(mix(h + s5) >> shift);
            s->waiting += left >= 3 ? 4 : left + 1; /* near the end of the run the longer grams do not fit */
            x0 = x1;
            x1 = x2;
            x2 = x3;
            x3 = x4;
        }
        i = e;
    }
}

static void begin_text(Adder *s) {
    memset(s->sum, 0, sizeof s->sum);
    s->distinct[0] = s->distinct[1] = 0;
    s->waiting = 0;
    s->edge = -1;
    s->overflowed = 0;
}

static void end_text(Adder *s, double *out, int64_t width) {
    int64_t edge = s->edge;
    add_pending(s);
    for (int t = 0; t < s->tables; t++)
        for (int kind = 0; kind < 2; kind++)
            out[2 * t + kind] = s->distinct[kind] ? s->sum[kind][t] / sqrt((double)s->distinct[kind]) : 0.0;
    if (s->overflowed)
        memset(s->count[0], 0, (size_t)width * sizeof(uint16_t));
    else {
        for (int64_t i = 0; i < edge; i++) s->count[0][s->pending[i]] = 0;
        for (int64_t i = edge; i < s->waiting; i++) s->count[1][s->pending[i]] = 0;
    }
}

PyDoc_STRVAR(ngram_dot_doc,
             "ngram_dot(points, classes, starts, word_bits, char_bits, salt, delta, count, (word_weights, char_weights, ...), out)");
static PyObject *ngram_dot(PyObject *self, PyObject *args) {
    Py_buffer v[6 + 2 * TABLES_MAX];
    int word_bits, char_bits;
    unsigned long long salt;
    PyObject *tables;
    if (!PyArg_ParseTuple(args, "y*y*y*iiKy*w*Ow*", &v[0], &v[1], &v[2], &word_bits, &char_bits, &salt, &v[3], &v[4],
                          &tables, &v[5]))
        return NULL;
    int arrays = (int)PyTuple_Size(tables), held = 6;
    int64_t words = (int64_t)1 << word_bits, width = words + ((int64_t)1 << char_bits);
    if (arrays < 2 || arrays > 2 * TABLES_MAX || arrays % 2 || v[4].len < width * 2) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "ngram_dot: one to four pairs of tables, a count for every number");
        return release(v, held, NULL);
    }
    for (int t = 0; t < arrays; t++) {
        if (PyObject_GetBuffer(PyTuple_GetItem(tables, t), &v[held], PyBUF_SIMPLE) < 0) return release(v, held, NULL);
        held++;
        if (v[held - 1].len != (t % 2 ? width - words : words) * 4) {
            PyErr_SetString(PyExc_ValueError, "ngram_dot: a weight for every number");
            return release(v, held, NULL);
        }
    }
    const int64_t *starts = v[2].buf;
    const uint32_t *p = v[0].buf;
    const uint8_t *c = v[1].buf;
    int64_t n = v[2].len / 8 - 1;
    double *out = v[5].buf;
    Adder *s = malloc(sizeof *s);
    if (s) {
        s->count[0] = v[4].buf;
        s->count[1] = s->count[0] + words;
        s->delta = v[3].buf;
        s->tables = arrays / 2;
        for (int t = 0; t < arrays; t++) s->weights[t % 2][t / 2] = v[6 + t].buf;
        Py_BEGIN_ALLOW_THREADS;
        for (int64_t i = 0; i < n; i++) {
            begin_text(s);
            gather_words(s, p, c, starts[i], starts[i + 1], salt, 64 - word_bits);
            s->edge = s->waiting;
            gather_chars(s, p, c, starts[i], starts[i + 1], salt, 64 - char_bits);
            end_text(s, out + i * arrays, width);
        }
        Py_END_ALLOW_THREADS;
    }
    free(s);
    if (!s) return release(v, held, PyErr_NoMemory());
    Py_INCREF(Py_None);
    return release(v, held, Py_None);
}

/* ---- texts: classes, counts, folding */
#define CLASSES 29
#define UPPER 0x80
#define ASK_FOLD 0xD800
#define SPACED_LETTERS 4

typedef struct {
    const uint8_t *table;  /* class by code point below 65,536 */
    const int64_t *above;  /* low, high, class of the planes above */
    int64_t n_above;
} ClassTable;

static inline uint8_t class_of(const ClassTable *t, uint32_t c) {
    if (c < 0x10000) return t->table[c];
    for (int64_t k = 0; k < t->n_above; k++)
        if (c >= t->above[3 * k] && c < t->above[3 * k + 1]) return (uint8_t)t->above[3 * k + 2];
    return 11; /* other letter */
}

/* Above the first plane: pictures and Han characters fold to themselves. */
static inline int folds_to_itself(uint32_t c) { return (c >= 0x1F300 && c < 0x1FB00) || (c >= 0x20000 && c < 0x2F800); }

/* 2 for letters and digits between which nothing invisible belongs (text._UNJOINED), 1 for brackets. */
static inline int unjoined(uint8_t c) {
    return (c >= LATIN && c <= GREEK) || c == FULLWIDTH || c == FANCY ? 2 : c == BRACKET;
}

static inline int is_flag(uint32_t c) { return c >= 0x1F1E6 && c < 0x1F200; }

PyDoc_STRVAR(survey_doc,
             "survey(points, table, above, foldings, starts, counts, upper, folds, odd) -> int\n\n"
             "Starts of the texts, their characters by class; how long they are folded, without those that are odd.");
static PyObject *survey(PyObject *self, PyObject *args) {
    Py_buffer v[9];
    if (!PyArg_ParseTuple(args, "y*y*y*y*w*w*w*w*w*", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8])) return NULL;
    const uint32_t *p = v[0].buf;
    const ClassTable table = {v[1].buf, v[2].buf, v[2].len / 24};
    const uint16_t *foldings = v[3].buf;
    int64_t *starts = v[4].buf, n = v[4].len / 8 - 1, length = v[0].len / 4, i = 0, total = 0, d = 0;
    int32_t *counts = v[5].buf, *upper = v[6].buf, *folds = v[7].buf;
    uint8_t *odd = v[8].buf;
    Py_BEGIN_ALLOW_THREADS;
    starts[0] = 0;
    for (; d < n && i < length; d++) {
        int32_t *row = counts + d * CLASSES, capitals = 0;
        int64_t folded = 0;
        int strange = 0, flag = 0, left = 0, waiting = 0, hidden = 0;
        for (; i < length; i++) {
            uint32_t c = p[i];
            uint8_t kind = class_of(&table, c);
            flag = flag == 2 ? 1 : is_flag(c) && i + 1 < length && is_flag(p[i + 1]) ? 2 : 0;
            if (flag) kind = EMOJI; /* two letters side by side */
            row[kind & 0x7F]++;
            capitals += kind >> 7;
            if (!c) break;
            if (kind == INVISIBLE) {
                waiting++;
                continue;
            }
            int right = unjoined(kind & 0x7F);
            if (left * right >= 2) hidden += waiting;
            left = right;
            waiting = 0;
            folded++;
            if (c < 0x80) continue;
            if (c >= 0x10000) {
                strange |= !folds_to_itself(c);
                continue;
            }
            uint16_t to = foldings[c];
            if (to < ASK_FOLD || to >= 0xE000) continue;
            if (to == ASK_FOLD)
                strange = 1;
            else
                folded += foldings[0x10000 + 4 * (to - ASK_FOLD - 1)] - 1;
        }
        i++;
        starts[d + 1] = i;
        upper[d] = capitals;
        folds[3 * d] = hidden;
        odd[d] = (uint8_t)strange;
        total += (strange ? 0 : folded) + 1;
    }
    Py_END_ALLOW_THREADS;
    int whole = d == n && i == length;
    if (!whole) PyErr_SetString(PyExc_ValueError, "survey: every text must end with NUL and hold no other");
    return release(v, 9, whole ? PyLong_FromLongLong(total) : NULL);
}

/* A letter that may look like a Latin one: Cyrillic, Greek, other, or of the phonetic alphabet. */
static inline int is_foreign(uint32_t p, uint8_t c) { return (c >= 4 && c <= 5) || c == 11 || (p > 0x250 && p < 0x2B0); }

/* Look-alike letters in words that mix Latin letters with others; returns how many were replaced. */
static int32_t make_plain(uint32_t *p, uint8_t *c, int64_t n, const uint16_t *lookalikes, const ClassTable *table) {
    int32_t changed = 0;
    for (int64_t i = 0; i < n;) {
        if (!is_word(c[i])) {
            i++;
            continue;
        }
        int64_t e = i;
        int plain = 0, foreign = 0;
        for (; e < n && is_word(c[e]); e++) {
            int f = is_foreign(p[e], c[e]);
            foreign |= f;
            plain |= !f && c[e] == LATIN;
        }
        if (plain && foreign)
            for (int64_t k = i; k < e; k++)
                if (is_foreign(p[k], c[k]) && p[k] < 0x10000 && lookalikes[p[k]] != p[k]) {
                    p[k] = lookalikes[p[k]];
                    c[k] = class_of(table, p[k]) & 0x7F;
                    changed++;
                }
        i = e;
    }
    return changed;
}

static inline int is_letter(uint8_t c) { return is_word(c) && c != DIGIT; }
static inline int stands_alone(const uint8_t *c, int64_t i, int64_t n) {
    return i >= 0 && i < n && is_letter(c[i]) && (i == 0 || !is_letter(c[i - 1])) && (i + 1 >= n || !is_letter(c[i + 1]));
}
static inline int is_link(const uint8_t *c, int64_t i, int64_t n) {
    return i + 2 < n && stands_alone(c, i, n) && stands_alone(c, i + 2, n) && c[i + 1] != SEPARATOR && c[i + 1] != NEWLINE;
}

/* Where the first words written letter by letter may begin; n if there are none. */
static int64_t first_spaced(const uint8_t *c, int64_t n) {
    int64_t run = 0, begin = 0, last = -2; /* single letters in a row, where the first and where the last of them is */
    for (int64_t i = 0; i < n; i++) {
        if (!is_letter(c[i])) continue;
        if (i + 1 < n && is_letter(c[i + 1])) {
            while (i + 1 < n && is_letter(c[i + 1])) i++;
            continue;
        }
        if (i != last + 2) {
            run = 0;
            begin = i;
        }
        last = i;
        if (++run == SPACED_LETTERS) return begin;
    }
    return n;
}

/* Words written letter by letter: take their separators out; returns how many were taken out. */
static int32_t join_spaced(uint32_t *p, uint8_t *c, int64_t n) {
    int64_t to = first_spaced(c, n), i = to;
    while (i < n) {
        int64_t links = 0;
        while (is_link(c, i + 2 * links, n)) links++;
        if (links < SPACED_LETTERS - 1) {
            /* what follows still looks at the classes as they were: only places behind it have been written */
            p[to] = p[i];
            c[to++] = c[i++];
            continue;
        }
        for (int64_t k = 0; k <= links; k++, to++) {
            p[to] = p[i + 2 * k];
            c[to] = c[i + 2 * k];
        }
        i += 2 * links + 1;
    }
    return (int32_t)(n - to);
}

PyDoc_STRVAR(fold_doc,
             "fold(raw_points, raw_starts, table, above, foldings, lookalikes, odd, odd_points, odd_starts, points, classes, "
             "starts, folds) -> int\n\nWrites the folded texts; the odd ones come folded as far as Unicode goes.");
static PyObject *fold(PyObject *self, PyObject *args) {
    Py_buffer v[13];
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*y*y*w*w*w*w*", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9],
                          &v[10], &v[11], &v[12]))
        return NULL;
    const uint32_t *raw = v[0].buf, *odd_points = v[7].buf;
    const int64_t *raw_starts = v[1].buf, *odd_starts = v[8].buf;
    const ClassTable table = {v[2].buf, v[3].buf, v[3].len / 24};
    const uint16_t *foldings = v[4].buf, *lookalikes = v[5].buf;
    const uint8_t *odd = v[6].buf;
    uint32_t *points = v[9].buf;
    uint8_t *classes = v[10].buf;
    int64_t *starts = v[11].buf, n = v[1].len / 8 - 1, room = v[9].len / 4, used = 0, next_odd = 0;
    int32_t *folds = v[12].buf;
    int fits = 1;
    uint8_t plain[128], kinds[128]; /* what ASCII folds to, and the classes of that */
    for (int x = 0; x < 128; x++) {
        plain[x] = (uint8_t)foldings[x];
        kinds[x] = table.table[x] & 0x7F;
    }
    Py_BEGIN_ALLOW_THREADS;
    starts[0] = 0;
    for (int64_t d = 0; d < n; d++) {
        uint32_t *p = points + used;
        uint8_t *c = classes + used;
        int64_t m = 0;
        int latin_only = 1;
        if (odd[d]) {
            int64_t a = odd_starts[next_odd], b = odd_starts[next_odd + 1] - 1;
            next_odd++;
            if (used + b - a + 1 > room) {
                fits = 0;
                break;
            }
            for (int64_t i = a; i < b; i++, m++) {
                p[m] = odd_points[i];
                c[m] = class_of(&table, p[m]) & 0x7F;
            }
            latin_only = 0;
        } else {
            int64_t a = raw_starts[d], b = raw_starts[d + 1] - 1;
            for (int64_t i = a; i < b; i++) {
                int64_t stop = room - used - m < b - i ? i + room - used - m : b;
                for (uint32_t x; i < stop && (x = raw[i]) < 0x80; i++, m++) {
                    p[m] = plain[x];
                    c[m] = kinds[x];
                }
                if (i == b) break;
                uint32_t x = raw[i];
                if (used + m >= room) {
                    fits = 0;
                    break;
                }
                if (class_of(&table, x) == INVISIBLE) continue;
                int64_t from = m;
                uint16_t to = x < 0x10000 ? foldings[x] : 0;
                if (x >= 0x10000 || to < ASK_FOLD || to >= 0xE000) {
                    p[m] = x < 0x10000 ? to : x;
                    c[m] = class_of(&table, p[m]) & 0x7F;
                    m++;
                } else {
                    const uint16_t *several = foldings + 0x10000 + 4 * (to - ASK_FOLD - 1);
                    for (int k = 1; k <= several[0] && used + m < room; k++, m++) {
                        p[m] = several[k];
                        c[m] = class_of(&table, p[m]) & 0x7F;
                    }
                }
                for (; from < m; from++) latin_only &= !is_foreign(p[from], c[from]);
            }
            if (!fits || used + m + 1 > room) {
                fits = 0;
                break;
            }
        }
        p[m] = 0;
        c[m] = SEPARATOR;
        if (!latin_only) folds[3 * d + 1] = make_plain(p, c, m, lookalikes, &table);
        folds[3 * d + 2] = join_spaced(p, c, m);
        m -= folds[3 * d + 2];
        p[m] = 0;
        c[m] = SEPARATOR;
        used += m + 1;
        starts[d + 1] = used;
    }
    Py_END_ALLOW_THREADS;
    if (!fits) PyErr_SetString(PyExc_ValueError, "fold: less room than survey asked for");
    return release(v, 13, fits ? PyLong_FromLongLong(used) : NULL);
}

/* ---- links and contact details: the regular expressions of links.py, matched by hand */
#define WORDLIKE 1
#define BLANK 2
#define DECIMAL 4
#define DIGITLIKE 8
#define ASK 0x80
#define LINK_COLUMNS 18 /* the last three, and four to six, are for Python to fill: it knows the hosts */
#define PHONE_DIGITS 8
#define PHONE_REACH 2000 /* characters in which the digits of a phone number are looked for */

typedef struct {
    const uint32_t *p;
    int64_t n;
    const uint8_t *bits;
} Chars;

static inline uint32_t at(const Chars *t, int64_t i) { return i >= 0 && i < t->n ? t->p[i] : 0; }
static inline int has(const Chars *t, int64_t i, int what) {
    uint32_t c = at(t, i);
    return c < 0x10000 && (t->bits[c] & what);
}
static inline uint32_t lower(uint32_t c) { return c >= 'A' && c <= 'Z' ? c | 32 : c; }
static int says(const Chars *t, int64_t i, const char *word) {
    for (; *word; word++, i++)
        if (lower(at(t, i)) != (unsigned char)*word) return 0;
    return 1;
}
static inline int one_of(uint32_t c, const char *set) { return c && c < 0x80 && strchr(set, (int)c) != NULL; }
static inline int host_char(const Chars *t, int64_t i) {
    return i < t->n && !has(t, i, BLANK) && !one_of(t->p[i], "/<>\"'][(){}|\\,");
}
static inline int rest_char(const Chars *t, int64_t i) { return i < t->n && !has(t, i, BLANK) && !one_of(t->p[i], "<>\"'][{}|\\"); }

/* An address at i: where its host begins and ends and where it ends itself; 0 if there is none. */
static int address(const Chars *t, int64_t i, int64_t *host, int64_t *host_end, int64_t *end) {
    uint32_t c = lower(t->p[i]);
    int64_t k;
    if (c == 'h') {
        if (!says(t, i, "http")) return 0;
        k = i + 4 + (lower(at(t, i + 4)) == 's');
        if (!says(t, k, "://")) return 0;
        k += 3;
    } else if (c == 'w' && says(t, i, "www."))
        k = i + 4;
    else
        return 0;
    *host = k;
    while (host_char(t, k)) k++;
    *host_end = k;
    if (k == *host) return 0;
    while (rest_char(t, k)) k++;
    *end = k;
    return 1;
}

/* Endings of domains, each as one number: its letters in the bytes, the first one lowest. */
#define E2(a, b) ((uint64_t)(a) | (uint64_t)(b) << 8)
#define E3(a, b, c) (E2(a, b) | (uint64_t)(c) << 16)
#define E4(a, b, c, d) (E2(a, b) | E2(c, d) << 16)
#define E5(a, b, c, d, e) (E4(a, b, c, d) | (uint64_t)(e) << 32)
#define E6(a, b, c, d, e, f) (E4(a, b, c, d) | E2(e, f) << 32)
#define E7(a, b, c, d, e, f, g) (E4(a, b, c, d) | E3(e, f, g) << 32)
static const uint64_t ENDINGS[] = {
    E3('c', 'o', 'm'), E3('n', 'e', 't'), E3('o', 'r', 'g'), E4('i', 'n', 'f', 'o'), E3('b', 'i', 'z'), E2('r', 'u'), E2('c', 'n'),
    E3('x', 'y', 'z'), E2('l', 'y'), /* these begin no sentence */
    E3('t', 'o', 'p'), E6('o', 'n', 'l', 'i', 'n', 'e'), E4('s', 'i', 't', 'e'), E4('s', 'h', 'o', 'p'),
    E4('c', 'l', 'u', 'b'), E3('v', 'i', 'p'), E4('l', 'i', 'v', 'e'), E5('s', 't', 'o', 'r', 'e'), E4('l', 'i', 'n', 'k'),
    E5('c', 'l', 'i', 'c', 'k'), E3('b', 'e', 't'), E6('c', 'a', 's', 'i', 'n', 'o'), E7('e', 'x', 'a', 'm', 'p', 'l', 'e'), E2('c', 'o'),
    E2('m', 'e'), E2('i', 'o'), E2('t', 'v'), E2('c', 'c'), E2('p', 'w'), E2('t', 'k'), E2('m', 'l'), E2('g', 'a'),
    E2('c', 'f'), E2('d', 'e'), E2('f', 'r'), E2('e', 's'), E2('i', 't'), E2('p', 'l'), E2('i', 'd'), E2('b', 'r'), 0};

#define PLAIN_ENDINGS 9

/* Whether one of the endings stands at i; behind a blank only one of those that begin no sentence. */
static int ending(const Chars *t, int64_t i, int behind_blank) {
    uint64_t name = 0;
    int64_t k = i;
    for (; has(t, k, WORDLIKE); k++) {
        uint32_t c = lower(t->p[k]);
        if (k - i >= 7 || c < 'a' || c > 'z') return 0;
        name |= (uint64_t)c << 8 * (k - i);
    }
    if (k - i < 2) return 0;
    if (name == E2('c', 'o') && says(t, k, ".uk") && !has(t, k + 3, WORDLIKE) && !one_of(at(t, k + 3), "(@")) return 1;
    if (one_of(at(t, k), "(@")) return 0;
    for (int64_t e = 0; ENDINGS[e] && !(behind_blank && e == PLAIN_ENDINGS); e++)
        if (name == ENDINGS[e]) return 1;
    return 0;
}

static inline int name_char(const Chars *t, int64_t i) { return has(t, i, WORDLIKE) || at(t, i) == '-'; }

/* Whether a dot in one of its disguises and an ending follow at e: a domain written without http. */
static int dotted(const Chars *t, int64_t e) {
    int blank = has(t, e, BLANK);
    int64_t q = e + blank;
    uint32_t c = at(t, q);
    if (c == '.' || c == 0x2024 || c == 0x3002) {
        q++;
        if (has(t, q, BLANK)) return ending(t, q + 1, 1);
        return ending(t, q, blank);
    }
    if (says(t, e, "[.]")) return ending(t, e + 3, 0);
    if (says(t, e, "(dot)")) return ending(t, e + 5, 0);
    return blank && says(t, e + 1, "dot") && has(t, e + 4, BLANK) && ending(t, e + 5, 0);
}

static int has_bare_domain(const Chars *t) {
    for (int64_t i = 0; i < t->n;) {
        if (!name_char(t, i)) {
            i++;
            continue;
        }
        int64_t e = i;
        while (name_char(t, e)) e++;
        int fresh = i == 0 || !one_of(t->p[i - 1], "@/");
        if (fresh && e - i >= 2 && e - i <= 60 && dotted(t, e)) return 1;
        i = e;
    }
    return 0;
}

static int64_t bbcodes(const Chars *t) {
    static const char *const names[] = {"url", "link", "img", "b", "email", NULL};
    int64_t count = 0;
    for (int64_t i = 0; i < t->n; i++) {
        if (t->p[i] != '[') continue;
        int64_t k = i + 1 + (at(t, i + 1) == '/');
        for (const char *const *name = names; *name; name++)
            if (says(t, k, *name) && !has(t, k + (int64_t)strlen(*name), WORDLIKE)) {
                count++;
                break;
            }
    }
    return count;
}

static int64_t anchors(const Chars *t) {
    int64_t count = 0;
    for (int64_t i = 0; i < t->n; i++) {
        if (says(t, i, "&lt;a") && has(t, i + 5, BLANK)) count++;
        if (t->p[i] != '<' || lower(at(t, i + 1)) != 'a' || !has(t, i + 2, BLANK)) continue;
        int64_t last = -1;
        for (int64_t k = i + 3; k <= i + 503 && k < t->n; k++) {
            if (says(t, k, "href")) last = k;
            if (t->p[k] == '>') break;
        }
        if (last >= 0) {
            count++;
            i = last + 3;
        }
    }
    return count;
}

/* The end of a handle, or of a way to reach somebody by messenger, at i; -1 if there is none. */
static int64_t handle(const Chars *t, int64_t i) {
    uint32_t c = lower(t->p[i]), before = at(t, i - 1);
    if (c == '@') {
        uint32_t letter = lower(at(t, i + 1));
        if (before == '.' || has(t, i - 1, WORDLIKE) || letter < 'a' || letter > 'z') return -1;
        int64_t k = i + 2;
        while (has(t, k, WORDLIKE) && k - i <= 34) k++;
        return k - i - 2 >= 3 && k - i - 2 <= 31 ? k : -1;
    }
    if (has(t, i - 1, WORDLIKE)) return -1;
    if (c == 't' && says(t, i, "t.me/")) return i + 5;
    if (c != 'w') return -1;
    if (says(t, i, "wa.me/")) return i + 6;
    if (!says(t, i, "whats")) return -1;
    int64_t k = i + 5 + has(t, i + 5, BLANK), found = -1;
    if (!says(t, k, "app") || has(t, k + 3, WORDLIKE)) return -1;
    for (int64_t j = k + 3; j <= k + 23; j++) {
        if (has(t, j, DECIMAL)) found = j + 1;
        if (j >= t->n || t->p[j] == '\n') break;
    }
    return found;
}

static int64_t handles(const Chars *t) {
    int64_t count = 0;
    for (int64_t i = 0; i < t->n;) {
        uint32_t c = lower(t->p[i]);
        int64_t end = c == '@' || c == 't' || c == 'w' ? handle(t, i) : -1;
        count += end >= 0;
        i = end >= 0 ? end : i + 1;
    }
    return count;
}

static inline int local_char(const Chars *t, int64_t i) { return has(t, i, WORDLIKE) || one_of(at(t, i), ".+-"); }

static int64_t emails(const Chars *t) {
    int64_t count = 0, from = 0;
    for (int64_t i = 0; i < t->n; i++) {
        if (t->p[i] == '[' && says(t, i, "[email]")) count++;
        if (t->p[i] != '@' || i - 1 < from || !local_char(t, i - 1)) continue;
        int64_t k = i + 1, m;
        while (name_char(t, k) && k - i <= 64) k++;
        if (k - i - 1 < 1 || k - i - 1 > 63 || at(t, k) != '.') continue;
        for (m = k + 1; m - k - 1 < 63 && (name_char(t, m) || at(t, m) == '.');) m++;
        if (m - k - 1 < 2) continue;
        count++;
        from = m;
        i = m - 1;
    }
    return count;
}

/* The rest of a phone number after `groups` groups of digits: where it ends, or -1. */
static int64_t phone_rest(const Chars *t, int64_t i, int groups) {
    if (groups < 5) {
        int64_t j = i + (has(t, i, BLANK) || one_of(at(t, i), ".-/")), most = 0, end;
        j += at(t, j) == '(';
        while (most < 4 && has(t, j + most, DECIMAL)) most++;
        for (; most >= 2; most--) {
            int64_t k = j + most;
            if (at(t, k) == ')' && (end = phone_rest(t, k + 1, groups + 1)) >= 0) return end;
            if ((end = phone_rest(t, k, groups + 1)) >= 0) return end;
        }
    }
    return groups >= 2 && !has(t, i, WORDLIKE) && at(t, i) != '/' ? i : -1;
}

static int64_t phones(const Chars *t) {
    int64_t count = 0;
    for (int64_t i = 0; i < t->n;) {
        int64_t end = -1, j = i;
        if ((has(t, i, DECIMAL) || t->p[i] == '+' || t->p[i] == '(') && !has(t, i - 1, WORDLIKE) && !one_of(at(t, i - 1), "./=-")) {
            j += at(t, j) == '+';
            j += at(t, j) == '(';
            int64_t most = 0;
            while (most < 4 && has(t, j + most, DECIMAL)) most++;
            for (; most >= 1 && end < 0; most--) {
                int64_t k = j + most;
                if (at(t, k) == ')') end = phone_rest(t, k + 1, 0);
                if (end < 0) end = phone_rest(t, k, 0);
            }
        }
        if (end < 0) {
            i++;
            continue;
        }
        int64_t digits = 0;
        for (; i < end; i++) digits += has(t, i, DIGITLIKE) != 0;
        count += digits >= PHONE_DIGITS;
    }
    return count;
}

/* What a look at every character tells about a text, so that only the searches that can find something are made. */
typedef struct {
    int dot, at, bracket, angle, entity, scheme, www, contact;
    int64_t digits;
} Hints;

static Hints hints_of(const Chars *t) {
    static const uint8_t telling[128] = {['.'] = 1, ['@'] = 1, ['['] = 1, ['<'] = 1, ['&'] = 1, [':'] = 1, ['p'] = 1, ['P'] = 1,
                                         ['/'] = 1, ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1,
                                         ['7'] = 1, ['8'] = 1, ['9'] = 1};
    Hints h;
    memset(&h, 0, sizeof h);
    for (int64_t i = 0; i < t->n; i++) {
        uint32_t c = t->p[i];
        if (c >= 0x80) {
            if (c < 0x10000 && i < PHONE_REACH) h.digits += (t->bits[c] & DIGITLIKE) != 0;
            continue;
        }
        if (!telling[c]) continue;
        switch (c) {
            case '.': h.dot = 1; h.www |= i >= 3 && lower(t->p[i - 1]) == 'w' && says(t, i - 3, "www"); break;
            case '@': h.at = 1; break;
            case '[': h.bracket = 1; break;
            case '<': h.angle = 1; break;
            case '&': h.entity = 1; break;
            case ':': h.scheme |= at(t, i + 1) == '/' && at(t, i + 2) == '/'; break;
            case 'p':
            case 'P': h.contact |= says(t, i - 2, "app"); break;
            case '/': h.contact |= says(t, i - 3, ".me"); break;
            default: h.digits += c >= '0' && c <= '9' && i < PHONE_REACH;
        }
    }
    return h;
}

static int has_plain(const Chars *t) {
    for (int64_t i = 0; i + 3 < t->n; i++) {
        const uint32_t *p = t->p + i;
        if ((p[0] == 'h' && p[1] == 't' && p[2] == 't' && p[3] == 'p') || (p[0] == 'w' && p[1] == 'w' && p[2] == 'w' && p[3] == '.'))
            return 1;
    }
    return 0;
}

/* Fills the row of a text; 0 if Python has to look at it, for domains written without http. */
static int links_of(Chars t, int64_t text, uint32_t *spare, int64_t *row, int64_t *hosts, int64_t *n_hosts) {
    Hints h = hints_of(&t);
    Chars rest = t;
    if (h.scheme || h.www) {
        int64_t host, host_end, end, kept = 0, last_end = 0;
        for (int64_t i = 0; i < t.n;) {
            if (!address(&t, i, &host, &host_end, &end)) {
                spare[kept++] = t.p[i++];
                continue;
            }
            if (!row[0]) row[13] = i < 3;
            row[0]++;
            row[2] += end - i;
            row[3] += end - host_end > 1;
            int64_t *to = hosts + 3 * (*n_hosts)++;
            to[0] = text;
            to[1] = host;
            to[2] = host_end;
            spare[kept++] = ' ';
            last_end = i = end;
        }
        if (row[0]) {
            row[14] = last_end > t.n - 3;
            rest.p = spare;
            rest.n = kept;
        }
    }
    if (h.angle || h.entity) row[7] = anchors(&t);
    if (h.bracket) row[8] = bbcodes(&t);
    if (h.dot && has_bare_domain(&rest)) return 0;
    if (h.at || h.contact) row[10] = handles(&t);
    if (h.at || h.bracket) row[12] = emails(&t);
    if (h.digits >= PHONE_DIGITS) row[11] = phones(row[0] && has_plain(&t) ? &rest : &t);
    /* without any of these signs nothing but phone numbers is looked for */
    if (!(h.dot || h.at || h.bracket || h.angle || h.scheme))
        for (int k = 0; k < LINK_COLUMNS; k++)
            if (k != 11) row[k] = 0;
    return 1;
}

PyDoc_STRVAR(links_doc,
             "links(raw_points, raw_starts, patterns, out, hosts, ask) -> int\n\n"
             "Counts by text; places of the hosts of addresses (text, begin, end); 1 in ask where Python has to look.");
static PyObject *links(PyObject *self, PyObject *args) {
    Py_buffer v[6];
    if (!PyArg_ParseTuple(args, "y*y*y*w*w*w*", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5])) return NULL;
    const uint32_t *p = v[0].buf;
    const int64_t *starts = v[1].buf;
    const uint8_t *bits = v[2].buf;
    int64_t n = v[1].len / 8 - 1, *out = v[3].buf, *hosts = v[4].buf, used = 0;
    uint8_t *ask = v[5].buf;
    uint32_t *spare = malloc((size_t)(longest(starts, n) + 1) * sizeof(uint32_t));
    if (spare) {
        Py_BEGIN_ALLOW_THREADS;
        for (int64_t d = 0; d < n; d++) {
            Chars t = {p + starts[d], starts[d + 1] - 1 - starts[d], bits};
            int strange = 0;
            for (int64_t i = 0; i < t.n && !strange; i++) {
                uint32_t c = t.p[i];
                strange = c >= 0x80 && (c < 0x10000 ? bits[c] & ASK : c < 0x1F300 || c >= 0x1FB00);
            }
            ask[d] = strange || !links_of(t, d, spare, out + d * LINK_COLUMNS, hosts, &used);
        }
        Py_END_ALLOW_THREADS;
    }
    free(spare);
    return release(v, 6, spare ? PyLong_FromLongLong(used) : PyErr_NoMemory());
}

static uint64_t distinct_room(const int64_t *ptr, int64_t n) {
    uint64_t size = 64;
    while (size < (uint64_t)(2 * longest(ptr, n))) size <<= 1;
    return size;
}

/* Different words of w[a .. b); key is a table with room for them. */
static int64_t distinct_of(const uint32_t *w, int64_t a, int64_t b, uint32_t *key) {
    int64_t zero = 0, found = 0;
    uint64_t mask = 64;
    while (mask < (uint64_t)(2 * (b - a))) mask <<= 1;
    memset(key, 0, mask-- * sizeof(uint32_t));
    for (int64_t i = a; i < b; i++) {
        if (!w[i]) {
            zero = 1;
            continue;
        }
        uint64_t k = w[i] & mask;
        while (key[k] && key[k] != w[i]) k = (k + 1) & mask;
        found += !key[k];
        key[k] = w[i];
    }
    return found + zero;
}

PyDoc_STRVAR(distinct_doc, "distinct(word, ptr, out)\n\nNumber of different words of each text.");
static PyObject *distinct(PyObject *self, PyObject *args) {
    Py_buffer v[3];
    if (!PyArg_ParseTuple(args, "y*y*w*", &v[0], &v[1], &v[2])) return NULL;
    const int64_t *ptr = v[1].buf;
    int64_t n = v[1].len / 8 - 1, *out = v[2].buf;
    uint32_t *key = malloc(distinct_room(ptr, n) * sizeof(uint32_t));
    if (key) {
        Py_BEGIN_ALLOW_THREADS;
        for (int64_t d = 0; d < n; d++) out[d] = distinct_of(v[0].buf, ptr[d], ptr[d + 1], key);
        Py_END_ALLOW_THREADS;
    }
    free(key);
    if (!key) return release(v, 3, PyErr_NoMemory());
    Py_INCREF(Py_None);
    return release(v, 3, Py_None);
}

/* ---- words, for relatedness and word lists */
PyDoc_STRVAR(words_doc, "words(points, classes, starts, stem, word, stem_out, ptr) -> int");
static PyObject *words(PyObject *self, PyObject *args) {
    Py_buffer v[6];
    int stem;
    if (!PyArg_ParseTuple(args, "y*y*y*iw*w*w*", &v[0], &v[1], &v[2], &stem, &v[3], &v[4], &v[5])) return NULL;
    const uint32_t *p = v[0].buf;
    const uint8_t *c = v[1].buf;
    const int64_t *starts = v[2].buf;
    uint32_t *word = v[3].buf, *stems = v[4].buf;
    int64_t n = v[2].len / 8 - 1, used = 0, *ptr = v[5].buf;
    Py_BEGIN_ALLOW_THREADS;
    ptr[0] = 0;
    for (int64_t d = 0; d < n; d++) {
        int64_t b = starts[d + 1];
        for (int64_t i = starts[d]; i < b;) {
            if (is_word(c[i])) {
                uint64_t h = 0, power = 1, st = 0;
                int64_t k = 0;
                do {
                    h += p[i] * power;
                    if (k < stem) st = h;
                    power *= POWER_BASE;
                    i++, k++;
                } while (i < b && is_word(c[i]));
                word[used] = (uint32_t)(mix(h) >> 32);
                stems[used++] = (uint32_t)(mix(st) >> 32);
            } else if (is_cjk(c[i])) {
                /* pairs of characters stand for words; the last of a run stands alone only if the run is one long */
                int first = i == starts[d] || !is_cjk(c[i - 1]);
                int more = i + 1 < b && is_cjk(c[i + 1]);
                if (more || first) {
                    uint64_t h = p[i] + (more ? p[i + 1] * POWER_BASE : 0);
                    word[used] = stems[used] = (uint32_t)(mix(h) >> 32);
                    used++;
                }
                i++;
            } else
                i++;
        }
        ptr[d + 1] = used;
    }
    Py_END_ALLOW_THREADS;
    return release(v, 6, PyLong_FromLongLong(used));
}

/* ---- word lists: how many words and phrases of each list stand in a text */
static inline int64_t find(const uint32_t *keys, uint64_t mask, uint32_t h) {
    uint64_t i = h & mask;
    while (keys[i] && keys[i] != h) i = (i + 1) & mask;
    return keys[i] ? (int64_t)i : -1;
}

#if defined(__GNUC__) || defined(__clang__)
static inline int lowest_bit(uint64_t m) { return __builtin_ctzll(m); }
#else
static inline int lowest_bit(uint64_t m) {
    int k = 0;
    while (!(m & 1)) m >>= 1, k++;
    return k;
}
#endif

PyDoc_STRVAR(list_counts_doc, "list_counts(word, ptr, keys, masks, lists, out)");
static PyObject *list_counts(PyObject *self, PyObject *args) {
    Py_buffer v[5];
    int lists;
    if (!PyArg_ParseTuple(args, "y*y*y*y*iw*", &v[0], &v[1], &v[2], &v[3], &lists, &v[4])) return NULL;
    const uint32_t *w = v[0].buf, *keys = v[2].buf;
    const int64_t *ptr = v[1].buf;
    const uint64_t *member = v[3].buf;
    int64_t n = v[1].len / 8 - 1;
    uint64_t mask = (uint64_t)(v[2].len / 4) - 1;
    int32_t *out = v[4].buf;
    Py_BEGIN_ALLOW_THREADS;
    for (int64_t d = 0; d < n; d++) {
        int32_t *row = out + d * lists;
        for (int64_t i = ptr[d]; i < ptr[d + 1]; i++) {
            uint32_t h = w[i];
            for (int k = 1;; k++) {
                int64_t at = find(keys, mask, h ? h : 1);
                if (at >= 0) {
                    uint64_t m = member[at];
                    while (m) {
                        row[lowest_bit(m)]++;
                        m &= m - 1;
                    }
                }
                if (k == 3 || i + k >= ptr[d + 1]) break;
                h = (uint32_t)(mix((uint64_t)h * MIX + w[i + k]) >> 32);
            }
        }
    }
    Py_END_ALLOW_THREADS;
    Py_INCREF(Py_None);
    return release(v, 5, Py_None);
}

/* ---- the words that speak loudest, for reasons */
typedef struct {
    double value;
    int64_t begin, middle, end; /* middle: where the second word of a pair begins, else -1 */
    int64_t first_end;
} Quote;

static int louder(const void *a, const void *b) {
    const Quote *x = a, *y = b;
    if (x->value != y->value) return x->value > y->value ? -1 : 1;
    /* as the twin lists them: single words first, then pairs, each in the order of the text */
    if ((x->middle < 0) != (y->middle < 0)) return x->middle < 0 ? -1 : 1;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static int unusual(const uint32_t *keys, const uint64_t *member, uint64_t mask, uint64_t lists, uint64_t h) {
    int64_t found = find(keys, mask, (uint32_t)(h >> 32) ? (uint32_t)(h >> 32) : 1);
    return found < 0 || !(member[found] & lists);
}

static uint64_t token_hash(const uint32_t *p, int64_t a, int64_t b) {
    uint64_t h = 0, power = 1;
    for (; a < b; a++, power *= POWER_BASE) h += p[a] * power;
    return h;
}

static int same_words(const uint32_t *p, const Quote *x, const Quote *y) {
    return x->end - x->begin == y->end - y->begin && !memcmp(p + x->begin, p + y->begin, (size_t)(x->end - x->begin) * sizeof *p);
}

/* Words that are quoted, spelled out with a comma between them; what is no character (half a pair) becomes U+FFFD. */
typedef struct {
    uint32_t *points;
    int64_t used, room;
} Said;

static int say(Said *to, const uint32_t *p, int64_t a, int64_t b) {
    if (to->used + b - a + 2 > to->room) {
        int64_t room = 2 * (to->used + b - a + 2);
        uint32_t *more = realloc(to->points, (size_t)room * sizeof *more);
        if (!more) return -1;
        to->points = more;
        to->room = room;
    }
    if (to->used) {
        to->points[to->used++] = ',';
        to->points[to->used++] = ' ';
    }
    for (; a < b; a++) to->points[to->used++] = (p[a] >= 0xD800 && p[a] < 0xE000) || p[a] > 0x10FFFF ? 0xFFFD : p[a];
    return 0;
}

static PyObject *as_string(Said *said) {
    const int one = 1;
    int order = *(const char *)&one ? -1 : 1;
    PyObject *out = PyUnicode_DecodeUTF32((const char *)said->points, (Py_ssize_t)(4 * said->used), "strict", &order);
    said->used = 0;
    return out;
}

/* The loudest of a heap comes to its front. */
static void sink_down(Quote *heap, int64_t n, int64_t at) {
    Quote x = heap[at];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && louder(&heap[child + 1], &heap[child]) < 0) child++;
        if (louder(&x, &heap[child]) <= 0) break;
        heap[at] = heap[child];
    }
    heap[at] = x;
}

/* Words that tell a person nothing: those of some lists. */
typedef struct {
    const uint32_t *keys;
    const uint64_t *member;
    uint64_t mask, lists;
} Dull;

static int is_telling(const uint32_t *p, const uint8_t *c, const Quote *x, const Dull *d) {
    int letters = 0, telling = 0;
    for (int64_t i = x->begin; i < x->end; i++) letters |= is_run(c[i]) && c[i] != DIGIT && c[i] != 12;
    if (!letters) return 0;
    if (x->middle == x->first_end && is_cjk(c[x->begin]) && is_cjk(c[x->middle]))
        return unusual(d->keys, d->member, d->mask, d->lists, mix(token_hash(p, x->begin, x->end)));
    if (is_run(c[x->begin])) telling |= unusual(d->keys, d->member, d->mask, d->lists, mix(token_hash(p, x->begin, x->first_end)));
    if (x->middle >= 0 && is_run(c[x->middle]))
        telling |= unusual(d->keys, d->member, d->mask, d->lists, mix(token_hash(p, x->middle, x->end)));
    return telling;
}

/* A quotation is a list with commas, in which a sign beside a word reads as a slip: of such a pair the word is said. */
static inline int is_clutter(uint8_t c) { return c == STOP || (c >= BRACKET && c <= OTHER_PUNCTUATION); }

static void without_clutter(const uint8_t *c, Quote *x) {
    if (x->middle < 0) return;
    if (is_clutter(c[x->begin])) {
        x->begin = x->middle;
        x->first_end = x->end;
        x->middle = -1;
    } else if (is_clutter(c[x->middle])) {
        x->end = x->first_end;
        x->middle = -1;
    }
}

/* Words and pairs with a weight on this side, in the order of the text; q has room for two a character. */
static int64_t candidates(const uint32_t *p, const uint8_t *c, int64_t from, int64_t to, const float *weights, int bits, uint64_t salt,
                          double sign, Quote *q) {
    int64_t used = 0, before_at = -1, before_end = -1;
    uint64_t before = 0;
    for (int64_t i = from; i < to;) {
        if (is_gap(c[i])) {
            i++;
            continue;
        }
        int64_t a = i++;
        if (is_word(c[a]))
            while (i < to && is_word(c[i])) i++;
        uint64_t h = token_hash(p, a, i);
        Quote one = {sign * weights[mix(h + salt) >> (64 - bits)], a, -1, i, i};
        if (one.value > 0) q[used++] = one;
        if (before_at >= 0) {
            Quote two = {sign * weights[mix(before * MIX + h + salt + SALT_STEP) >> (64 - bits)], before_at, a, i, before_end};
            if (two.value > 0) q[used++] = two;
        }
        before = h;
        before_at = a;
        before_end = i;
    }
    return used;
}

#define QUOTES_MOST 16

/* The loudest that tell something and do not overlap, the loudest first: how many were kept. */
static int64_t loudest(const uint32_t *p, const uint8_t *c, Quote *q, int64_t used, const Dull *d, int64_t most, Quote *kept) {
    int64_t n = 0;
    for (int64_t at = used / 2 - 1; at >= 0; at--) sink_down(q, used, at);
    while (used > 0 && n < most) {
        Quote x = q[0];
        q[0] = q[--used];
        if (used) sink_down(q, used, 0);
        without_clutter(c, &x);
        int skip = 0;
        for (int64_t j = 0; j < n && !skip; j++) skip = (kept[j].begin < x.end && x.begin < kept[j].end) || same_words(p, &kept[j], &x);
        if (!skip && is_telling(p, c, &x, d)) kept[n++] = x;
    }
    return n;
}

PyDoc_STRVAR(quotes_doc, "quotes(points, classes, starts, texts, ham, weights, bits, salt, keys, member, lists, most) -> [str, ...]\n\n"
                         "Of each text asked for: the words and pairs with the largest weights, for ham (1) the smallest, that hold\n"
                         "a word of none of the lists.");
static PyObject *quotes(PyObject *self, PyObject *args) {
    Py_buffer v[8];
    int bits, most;
    unsigned long long salt, lists;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*iKy*y*Ki", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &bits, &salt, &v[6], &v[7], &lists, &most))
        return NULL;
    const uint32_t *p = v[0].buf;
    const uint8_t *c = v[1].buf;
    const int64_t *starts = v[2].buf, *texts = v[3].buf;
    const uint8_t *ham = v[4].buf;
    const Dull dull = {v[6].buf, v[7].buf, (uint64_t)(v[6].len / 4) - 1, lists};
    int64_t asked = v[3].len / 8, n = v[2].len / 8 - 1, room = 0;
    int fits = v[5].len == ((Py_ssize_t)4 << bits) && v[4].len == asked && most <= QUOTES_MOST && v[0].len / 4 >= v[1].len;
    for (int64_t k = 0; k < asked && fits; k++) {
        fits = texts[k] >= 0 && texts[k] < n && starts[texts[k]] >= 0 && starts[texts[k]] <= starts[texts[k] + 1] && starts[texts[k] + 1] <= v[1].len;
        if (fits && starts[texts[k] + 1] - starts[texts[k]] > room) room = starts[texts[k] + 1] - starts[texts[k]];
    }
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "quotes: a weight for every number, places within the texts");
        return release(v, 8, NULL);
    }
    Quote *q = malloc((size_t)(2 * room + 1) * sizeof *q), kept[QUOTES_MOST];
    Said said = {NULL, 0, 0};
    PyObject *out = q ? PyList_New((Py_ssize_t)asked) : PyErr_NoMemory();
    for (int64_t k = 0; k < asked && out; k++) {
        int64_t used = candidates(p, c, starts[texts[k]], starts[texts[k] + 1], v[5].buf, bits, salt, ham[k] ? -1.0 : 1.0, q);
        int64_t n_kept = loudest(p, c, q, used, &dull, most, kept);
        int failed = 0;
        for (int64_t j = 0; j < n_kept && !failed; j++) failed = say(&said, p, kept[j].begin, kept[j].end);
        PyObject *one = failed ? PyErr_NoMemory() : as_string(&said);
        if (!one || PyList_SetItem(out, (Py_ssize_t)k, one) < 0) Py_CLEAR(out);
    }
    free(q);
    free(said.points);
    return release(v, 8, out);
}

/* ---- what a comment shares with its context */
#define IDF_BINS 6
#define RELATE_COLUMNS (8 + 2 * IDF_BINS)

typedef struct {
    const float *weight;
    int shift; /* of a word's 32 bits, to its place among the weights */
} Idf;

static inline void count_word(Counter *c, uint32_t word) {
    uint64_t at = slot(c, word >> 1);
    if (!c->key[at]) {
        c->key[at] = (word >> 1) + 1;
        c->count[at] = 0;
    }
    c->count[at]++;
}

static void count_words(Counter *c, const uint32_t *w, int64_t a, int64_t b) {
    counter_clear(c, (uint64_t)(b - a));
    for (int64_t i = a; i < b; i++) count_word(c, w[i]);
}

/* Neighbouring words as hashed pairs, as pairs_of makes them. */
static void count_pairs(Counter *c, const uint32_t *w, int64_t a, int64_t b) {
    counter_clear(c, (uint64_t)(b - a > 1 ? b - a - 1 : 0));
    for (int64_t i = a; i + 1 < b; i++) count_word(c, (w[i] * 0x9E3779B1u ^ (w[i + 1] >> 3)) * 0x85EBCA6Bu);
}

/* Different words that were counted, in the order of the table, with rarity and tf-idf; their sums. */
typedef struct {
    uint64_t *place;
    uint32_t *key;
    double *rarity, *tfidf;
    int64_t n;
    double mass, own;
} Tally;

static int tally_init(Tally *t, int64_t most) {
    size_t room = (size_t)most + 1;
    t->place = malloc(room * sizeof *t->place);
    t->key = malloc(room * sizeof *t->key);
    t->rarity = malloc(room * sizeof *t->rarity);
    t->tfidf = malloc(room * sizeof *t->tfidf);
    return t->place && t->key && t->rarity && t->tfidf;
}

static void tally_free(Tally *t) {
    free(t->place);
    free(t->key);
    free(t->rarity);
    free(t->tfidf);
}

static void take_stock(Tally *t, const Counter *c, const Idf *idf) {
    int64_t n = 0;
    for (uint64_t at = 0; at <= c->mask; at++) { /* without a branch: half of the table is full */
        t->place[n] = at;
        n += c->key[at] != 0;
    }
    double mass = 0, own = 0;
    for (int64_t k = 0; k < n; k++) {
        uint32_t word = c->key[t->place[k]] - 1;
        double g = idf->weight[(word << 1) >> idf->shift], f = g * log1p_of(c->count[t->place[k]]);
        t->key[k] = word;
        t->rarity[k] = g;
        t->tfidf[k] = f;
        mass += g;
        own += f * f;
    }
    t->n = n;
    t->mass = mass;
    t->own = own;
}

/* One row of relate_words; theirs is NULL where there is no context, norm the squared length of its vector. */
static void compare(const Tally *mine, const Counter *theirs, double norm, double *row) {
    double shared = 0, dot = 0, top = 0, both = 0;
    for (int k = 8; k < RELATE_COLUMNS; k++) row[k] = 0;
    for (int64_t k = 0; theirs && k < mine->n; k++) {
        double g = mine->rarity[k];
        int bin = (int)(g * IDF_BINS);
        if (bin >= IDF_BINS) bin = IDF_BINS - 1;
        if (bin < 0) bin = 0;
        uint64_t there = slot(theirs, mine->key[k]);
        if (!theirs->key[there]) {
            row[8 + bin]++;
            continue;
        }
        row[8 + IDF_BINS + bin]++;
        shared += g;
        both++;
        dot += mine->tfidf[k] * g * log1p_of(theirs->count[there]);
        if (g > top) top = g;
    }
    row[0] = mine->mass;
    row[1] = shared;
    row[2] = dot;
    row[3] = mine->own;
    row[4] = theirs ? norm : 0.0;
    row[5] = (double)mine->n;
    row[6] = both;
    row[7] = top;
}

PyDoc_STRVAR(relate_doc, "relate(word, ptr, context_word, context_ptr, order, context_of, idf, idf_shift, out)");
static PyObject *relate(PyObject *self, PyObject *args) {
    Py_buffer v[8];
    int shift;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*iw*", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &shift, &v[7])) return NULL;
    const int64_t *ptr = v[1].buf, *cptr = v[3].buf, *order = v[4].buf, *context_of = v[5].buf;
    const Idf idf = {v[6].buf, shift};
    double *out = v[7].buf;
    int64_t n = v[1].len / 8 - 1, contexts = v[3].len / 8 - 1;
    int64_t most = longest(ptr, n), theirs_most = longest(cptr, contexts);
    Counter mine, theirs;
    Tally stock;
    int ok = counter_init(&mine, (uint64_t)(2 * most + 64), 0);
    ok &= counter_init(&theirs, (uint64_t)(2 * theirs_most + 64), 0);
    ok &= tally_init(&stock, most > theirs_most ? most : theirs_most);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS;
        int64_t now = -1;
        double norm = 0.0;
        for (int64_t o = 0; o < n; o++) {
            int64_t d = order[o], x = context_of[d];
            if (x >= 0 && x != now) {
                count_words(&theirs, v[2].buf, cptr[x], cptr[x + 1]);
                take_stock(&stock, &theirs, &idf);
                norm = stock.own;
                now = x;
            }
            count_words(&mine, v[0].buf, ptr[d], ptr[d + 1]);
            take_stock(&stock, &mine, &idf);
            compare(&stock, x >= 0 ? &theirs : NULL, norm, out + d * RELATE_COLUMNS);
        }
        Py_END_ALLOW_THREADS;
    }
    counter_free(&mine);
    counter_free(&theirs);
    tally_free(&stock);
    if (!ok) return release(v, 8, PyErr_NoMemory());
    Py_INCREF(Py_None);
    return release(v, 8, Py_None);
}

/* All overlaps of comments with titles and articles at once: each context is counted once, each comment too. */
enum { A_WORD, A_STEM, T_WORD, T_STEM, A_PAIR, PLACES };
#define MEASURES 6                                /* of a place among the columns of context */
#define PLACE_COLUMNS (6 + 2 * IDF_BINS + 1)      /* of a place among those of relation */
#define RELATION_COLUMNS (4 * PLACE_COLUMNS + 2)
#define CONTEXT_COLUMNS (2 + 4 * MEASURES + 3 + 4)

typedef struct {
    const uint32_t *word, *stem;
    const int64_t *ptr, *script, *language;
} Read; /* facts of titles or articles */

static void count_context(Counter *to, double *norm, Tally *spare, const Read *r, int64_t x, int first, const Idf *idf) {
    int64_t a = r->ptr[x], b = r->ptr[x + 1];
    for (int k = 0; k < 2; k++) {
        count_words(&to[first + k], k ? r->stem : r->word, a, b);
        take_stock(spare, &to[first + k], idf);
        norm[first + k] = spare->own;
    }
    if (first == A_WORD) count_pairs(&to[A_PAIR], r->word, a, b);
}

static inline double larger(double a, double b) { return a > b ? a : b; }

/* One place's measures; those that are looked at as logarithms are written as they are. */
static void measure(const double *row, int64_t size, double there, double *relation, double *context) {
    double mass = row[0], shared = row[1];
    double cosine = row[2] / sqrt(larger(row[3] * row[4], 1e-12)), share = shared / larger(mass, 1e-9);
    double density = shared / larger(row[5], 1.0);
    const double of_relation[6] = {cosine, share, row[6], row[7], density, mass};
    const double of_context[MEASURES] = {cosine, share, mass - shared, row[6], row[7], density};
    memcpy(relation, of_relation, sizeof of_relation);
    memcpy(relation + 6, row + 8, 2 * IDF_BINS * sizeof *row);
    relation[6 + 2 * IDF_BINS] = (double)size;
    for (int k = 0; k < MEASURES; k++) context[k] = there * of_context[k];
}

PyDoc_STRVAR(overlaps_doc,
             "overlaps(word, stem, ptr, script, language, sure, name_stem, name_ptr, article_word, article_stem, article_ptr, "
             "article_script, article_language, article_there, title_word, title_stem, title_ptr, title_script, title_there, "
             "order, context_of, idf, idf_shift, relation, context)\n\n"
             "Both tables, before logarithms are taken; name_ptr may be that of no names at all.");
static PyObject *overlaps(PyObject *self, PyObject *args) {
    Py_buffer v[24];
    int shift;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*y*y*y*y*y*y*y*y*y*y*y*y*y*y*y*iw*w*", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6],
                          &v[7], &v[8], &v[9], &v[10], &v[11], &v[12], &v[13], &v[14], &v[15], &v[16], &v[17], &v[18], &v[19],
                          &v[20], &v[21], &shift, &v[22], &v[23]))
        return NULL;
    const int64_t *ptr = v[2].buf, *script = v[3].buf, *language = v[4].buf, *name_ptr = v[7].buf;
    const double *sure = v[5].buf;
    const Read articles = {v[8].buf, v[9].buf, v[10].buf, v[11].buf, v[12].buf}, titles = {v[14].buf, v[15].buf, v[16].buf, v[17].buf, NULL};
    const uint8_t *article_there = v[13].buf, *title_there = v[18].buf;
    const int64_t *order = v[19].buf, *context_of = v[20].buf;
    const Idf idf = {v[21].buf, shift};
    int64_t n = v[2].len / 8 - 1, names = v[7].len / 8 - 1, contexts = v[10].len / 8 - 1;
    if (v[22].len != n * RELATION_COLUMNS * 8 || v[23].len != n * CONTEXT_COLUMNS * 8 || v[20].len != n * 8 || (names && names != n)) {
        PyErr_SetString(PyExc_ValueError, "overlaps: a row of every table for every comment");
        return release(v, 24, NULL);
    }
    int64_t lengths[4] = {longest(ptr, n), longest(name_ptr, names), longest(articles.ptr, contexts), longest(titles.ptr, contexts)}, most = 0;
    for (int k = 0; k < 4; k++)
        if (lengths[k] > most) most = lengths[k];
    Counter counted, theirs[PLACES]; /* counted: by one comment or name after the other */
    Tally mine[3], spare;            /* words, stems and pairs of a comment */
    int ok = counter_init(&counted, (uint64_t)(2 * most + 64), 0) & tally_init(&spare, most);
    for (int k = 0; k < 3; k++) ok &= tally_init(&mine[k], lengths[0]);
    for (int k = 0; k < PLACES; k++) ok &= counter_init(&theirs[k], (uint64_t)(2 * lengths[k == T_WORD || k == T_STEM ? 3 : 2] + 64), 0);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS;
        int64_t now = -1;
        double norm[PLACES], row[RELATE_COLUMNS];
        memset(norm, 0, sizeof norm);
        for (int64_t o = 0; o < n; o++) {
            int64_t d = order[o], x = context_of[d];
            double *relation = (double *)v[22].buf + d * RELATION_COLUMNS, *context = (double *)v[23].buf + d * CONTEXT_COLUMNS;
            memset(relation, 0, RELATION_COLUMNS * sizeof *relation);
            memset(context, 0, CONTEXT_COLUMNS * sizeof *context);
            context[CONTEXT_COLUMNS - 2] = language[d] >= 0 ? sure[d] : 0.0;
            if (x < 0) continue;
            if (x != now) {
                if (article_there[x]) count_context(theirs, norm, &spare, &articles, x, A_WORD, &idf);
                if (title_there[x]) count_context(theirs, norm, &spare, &titles, x, T_WORD, &idf);
                now = x;
            }
            count_words(&counted, v[0].buf, ptr[d], ptr[d + 1]);
            take_stock(&mine[0], &counted, &idf);
            count_words(&counted, v[1].buf, ptr[d], ptr[d + 1]);
            take_stock(&mine[1], &counted, &idf);
            count_pairs(&counted, v[0].buf, ptr[d], ptr[d + 1]);
            take_stock(&mine[2], &counted, &idf);
            context[0] = title_there[x] != 0;
            context[1] = article_there[x] != 0;
            for (int k = 0; k < A_PAIR; k++) {
                int there = k < T_WORD ? article_there[x] : title_there[x];
                const int64_t *sizes = k < T_WORD ? articles.ptr : titles.ptr;
                compare(&mine[k % 2], there ? &theirs[k] : NULL, norm[k], row);
                measure(row, there ? sizes[x + 1] - sizes[x] : 0, there != 0, relation + k * PLACE_COLUMNS, context + 2 + k * MEASURES);
            }
            compare(&mine[2], article_there[x] ? &theirs[A_PAIR] : NULL, 0.0, row);
            relation[RELATION_COLUMNS - 2] = row[6];
            relation[RELATION_COLUMNS - 1] = row[6] / larger(row[5], 3.0);
            double *rest = context + 2 + 4 * MEASURES;
            rest[0] = relation[RELATION_COLUMNS - 1];
            rest[1] = row[5] >= 8 && row[6] >= 0.8 * row[5];
            if (names && name_ptr[d + 1] > name_ptr[d] && article_there[x]) {
                count_words(&counted, v[6].buf, name_ptr[d], name_ptr[d + 1]);
                take_stock(&spare, &counted, &idf);
                compare(&spare, &theirs[A_STEM], 0.0, row);
                rest[2] = row[1] / larger(row[0], 1e-9);
            }
            int64_t their_language = articles.language[x], their_script = article_there[x] ? articles.script[x] : title_there[x] ? titles.script[x] : -1;
            if (language[d] >= 0 && their_language >= 0 && article_there[x]) rest[3 + (language[d] == their_language)] = sure[d];
            rest[6] = script[d] >= 0 && their_script >= 0 && script[d] != their_script;
        }
        Py_END_ALLOW_THREADS;
    }
    counter_free(&counted);
    tally_free(&spare);
    for (int k = 0; k < 3; k++) tally_free(&mine[k]);
    for (int k = 0; k < PLACES; k++) counter_free(&theirs[k]);
    if (!ok) return release(v, 24, PyErr_NoMemory());
    Py_INCREF(Py_None);
    return release(v, 24, Py_None);
}

/* ---- what a comment shares with the other comments of its page */
typedef struct {
    uint64_t *entry, *spare; /* hash without its last bit << 32 | comment: sorted by hash, then comment */
    int64_t n;
} Entries;

/* By the 31 bits of the hash, 8 at a time (least significant first: a page has some hundred words, so that larger tables
   would cost more than a fourth turn); equal ones stay in the order of comments. */
static void sort_entries(Entries *e) {
    int64_t count[256];
    for (int shift = 32; shift < 63; shift += 8) {
        memset(count, 0, sizeof count);
        for (int64_t i = 0; i < e->n; i++) count[e->entry[i] >> shift & 255]++;
        int64_t sum = 0;
        for (int k = 0; k < 256; k++) {
            int64_t here = count[k];
            count[k] = sum;
            sum += here;
        }
        for (int64_t i = 0; i < e->n; i++) e->spare[count[e->entry[i] >> shift & 255]++] = e->entry[i];
        uint64_t *sorted = e->spare;
        e->spare = e->entry;
        e->entry = sorted;
    }
    int64_t kept = 0;
    for (int64_t i = 0; i < e->n; i++)
        if (!kept || e->entry[i] != e->entry[kept - 1]) e->entry[kept++] = e->entry[i];
    e->n = kept;
}

/* The comments of one page, in the order of their places.  For comment a, those from lo[a] to hi[a] are in reach; what is
   known of a and b stands at band[a] + b. */
typedef struct {
    const uint32_t *word;
    const int64_t *ptr, *rows, *place;
    const double *trust;
    int64_t m, *lo, *hi, *band;
    uint32_t *both, *size;
    double *shared;
    uint8_t *there;
} Thread;

static void thread_entries(Entries *e, const Thread *t, int pairs) {
    e->n = 0;
    for (int64_t a = 0; a < t->m; a++) {
        const uint32_t *w = t->word;
        for (int64_t i = t->ptr[t->rows[a]]; i + pairs < t->ptr[t->rows[a] + 1]; i++) {
            uint32_t h = pairs ? (w[i] * 0x9E3779B1u ^ (w[i + 1] >> 3)) * 0x85EBCA6Bu : w[i];
            e->entry[e->n++] = (uint64_t)(h >> 1) << 32 | (uint64_t)a;
        }
    }
    sort_entries(e);
}

static int same_text(const Thread *t, int64_t a, int64_t b) {
    int64_t x = t->ptr[t->rows[a]], y = t->ptr[t->rows[b]], n = t->ptr[t->rows[a] + 1] - x;
    return n == t->ptr[t->rows[b] + 1] - y && !memcmp(t->word + x, t->word + y, (size_t)n * sizeof *t->word);
}

/* Where the comments with the word of entry i end. */
static inline int64_t run_end(const Entries *e, int64_t i) {
    uint64_t key = e->entry[i] >> 32;
    while (i < e->n && e->entry[i] >> 32 == key) i++;
    return i;
}

/* Who is company to whom; how many there are, by trust; whether there is a near-duplicate. */
static void seat(const Thread *t, Entries *e, int64_t fewest, double alike, double *out, int columns) {
    memset(t->size, 0, (size_t)t->m * sizeof *t->size);
    thread_entries(e, t, 1);
    for (int64_t i = 0, end; i < e->n; i = end) {
        end = run_end(e, i);
        for (int64_t x = i, from = i; x < end; x++) {
            int64_t a = (int64_t)(uint32_t)e->entry[x];
            t->size[a]++;
            while ((int64_t)(uint32_t)e->entry[from] < t->lo[a]) from++;
            for (int64_t y = from; y < end; y++) {
                int64_t b = (int64_t)(uint32_t)e->entry[y];
                if (b >= t->hi[a]) break;
                t->both[t->band[a] + b]++;
            }
        }
    }
    for (int64_t a = 0; a < t->m; a++) {
        double others = 0, near_one = 0;
        for (int64_t b = t->lo[a]; b < t->hi[a]; b++) {
            int64_t at = t->band[a] + b;
            uint32_t less = t->size[a] < t->size[b] ? t->size[a] : t->size[b], both = t->both[at];
            if (t->place[t->rows[a]] == t->place[t->rows[b]]) continue;
            if ((less >= fewest && both >= alike * (double)(t->size[a] + t->size[b] - both)) || same_text(t, a, b)) {
                if (t->trust[t->rows[b]] > 0) near_one = 1;
                continue;
            }
            t->there[at] = 1;
            others += t->trust[t->rows[b]];
        }
        out[t->rows[a] * columns + 6] = others;
        out[t->rows[a] * columns + 7] = near_one;
    }
}

static void share(const Thread *t, Entries *e, const Idf *idf, double *out, int columns) {
    thread_entries(e, t, 0);
    for (int64_t i = 0, end; i < e->n; i = end) {
        end = run_end(e, i);
        double g = idf->weight[(uint32_t)(e->entry[i] >> 32) << 1 >> idf->shift];
        for (int64_t x = i, from = i; x < end; x++) {
            int64_t a = (int64_t)(uint32_t)e->entry[x];
            double together = 0, *row = out + t->rows[a] * columns;
            while ((int64_t)(uint32_t)e->entry[from] < t->lo[a]) from++;
            for (int64_t y = from; y < end; y++) {
                int64_t b = (int64_t)(uint32_t)e->entry[y];
                if (b >= t->hi[a]) break;
                if (!t->there[t->band[a] + b]) continue;
                together += t->trust[t->rows[b]];
                t->shared[t->band[a] + b] += g;
            }
            double once = g * (together < 1.0 ? together : 1.0);
            row[0] += once;
            if (once > row[1]) row[1] = once;
            row[3] += g * (together > 2.0 ? 1.0 : larger(together - 1.0, 0.0));
            row[4] += g;
            row[5] += 1;
        }
    }
    for (int64_t a = 0; a < t->m; a++)
        for (int64_t b = t->lo[a]; b < t->hi[a]; b++) {
            double *best = out + t->rows[a] * columns + 2;
            *best = larger(*best, t->shared[t->band[a] + b] * t->trust[t->rows[b]]);
        }
}

/* Reach of each comment of a page, and room for what is known of pairs; 0 where there is no memory. */
static int thread_room(Thread *t, int64_t reach) {
    t->lo = malloc((size_t)t->m * sizeof *t->lo);
    t->hi = malloc((size_t)t->m * sizeof *t->hi);
    t->band = malloc((size_t)t->m * sizeof *t->band);
    t->size = malloc((size_t)t->m * sizeof *t->size);
    t->both = NULL;
    t->shared = NULL;
    t->there = NULL;
    if (!t->lo || !t->hi || !t->band || !t->size) return 0;
    size_t all = 0;
    for (int64_t a = 0, lo = 0, hi = 0; a < t->m; a++) {
        int64_t here = t->place[t->rows[a]];
        while (t->place[t->rows[lo]] < here - reach) lo++;
        while (hi < t->m && t->place[t->rows[hi]] <= here + reach) hi++;
        t->lo[a] = lo;
        t->hi[a] = hi;
        t->band[a] = (int64_t)all - lo;
        all += (size_t)(hi - lo);
    }
    t->both = calloc(all, sizeof *t->both);
    t->shared = calloc(all, sizeof *t->shared);
    t->there = calloc(all, sizeof *t->there);
    return t->both && t->shared && t->there;
}

static void thread_free(Thread *t) {
    free(t->lo);
    free(t->hi);
    free(t->band);
    free(t->size);
    free(t->both);
    free(t->shared);
    free(t->there);
}

#define COMPANY_COLUMNS 8

PyDoc_STRVAR(company_doc, "company(word, ptr, order, thread_of, place, trust, idf, idf_shift, reach, fewest, alike, out)\n\n"
                          "Order: comments that are on a page, by page and place; out starts as zeros.");
static PyObject *company(PyObject *self, PyObject *args) {
    Py_buffer v[8];
    int shift, reach, fewest;
    double alike;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*iiidw*", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &shift, &reach, &fewest,
                          &alike, &v[7]))
        return NULL;
    const int64_t *ptr = v[1].buf, *order = v[2].buf, *thread_of = v[3].buf;
    const Idf idf = {v[6].buf, shift};
    int64_t n = v[1].len / 8 - 1, seated = v[2].len / 8;
    if (v[7].len != n * COMPANY_COLUMNS * 8 || v[3].len != n * 8 || v[4].len != n * 8 || v[5].len != n * 8) {
        PyErr_SetString(PyExc_ValueError, "company: a row of every table for every comment");
        return release(v, 8, NULL);
    }
    int64_t most = 0;
    for (int64_t i = 0, words = 0; i < seated; i++) {
        words = (i && thread_of[order[i]] == thread_of[order[i - 1]] ? words : 0) + ptr[order[i] + 1] - ptr[order[i]];
        if (words > most) most = words;
    }
    Entries e = {malloc((size_t)(most + 1) * sizeof *e.entry), malloc((size_t)(most + 1) * sizeof *e.spare), 0};
    int ok = e.entry && e.spare;
    Py_BEGIN_ALLOW_THREADS;
    for (int64_t i = 0, end; ok && i < seated; i = end) {
        for (end = i; end < seated && thread_of[order[end]] == thread_of[order[i]];) end++;
        Thread t = {v[0].buf, ptr, order + i, v[4].buf, v[5].buf, end - i};
        ok = thread_room(&t, reach);
        if (ok) {
            seat(&t, &e, fewest, alike, v[7].buf, COMPANY_COLUMNS);
            share(&t, &e, &idf, v[7].buf, COMPANY_COLUMNS);
        }
        thread_free(&t);
    }
    Py_END_ALLOW_THREADS;
    free(e.entry);
    free(e.spare);
    if (!ok) return release(v, 8, PyErr_NoMemory());
    Py_INCREF(Py_None);
    return release(v, 8, Py_None);
}

/* ---- script and language of texts */
PyDoc_STRVAR(tell_doc, "tell(counts, lists, scripts, telling, languages, script, language, sure)\n\nScript and language of each text, as tongues tells them.");
static PyObject *tell(PyObject *self, PyObject *args) {
    Py_buffer v[8];
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*w*w*w*", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7])) return NULL;
    const uint8_t *scripts = v[2].buf, *telling = v[3].buf, *languages = v[4].buf;
    int64_t n = v[0].len / (4 * CLASSES), lists = n ? v[1].len / (4 * n) : 0, *script = v[5].buf, *language = v[6].buf;
    double *sure = v[7].buf;
    for (int64_t d = 0; d < n; d++) {
        const int32_t *row = (const int32_t *)v[0].buf + d * CLASSES, *hits = (const int32_t *)v[1].buf + d * lists;
        int64_t most = 0, top = 0, rest = 0, best = 0, main = -1;
        for (int64_t k = 0; k < v[2].len; k++) {
            int64_t count = row[scripts[k]];
            if (scripts[k] == KANA && count > 0) count += row[HAN]; /* Japanese mixes both */
            if (count > most) {
                most = count;
                main = scripts[k];
            }
        }
        for (int64_t k = 0; k < v[4].len; k++) {
            int64_t count = hits[languages[k]];
            if (k == 0 || count > top) {
                rest = k ? top : 0;
                top = count;
                best = k;
            } else if (count > rest)
                rest = count;
        }
        double margin = (double)(top - rest) / (double)(top > 1 ? top : 1);
        int tells = main >= 0 && telling[main];
        script[d] = main;
        language[d] = tells ? 100 + main : top >= 2 && margin > 0 ? best : -1;
        sure[d] = tells ? 1.0 : language[d] >= 0 ? margin : 0.0;
    }
    Py_INCREF(Py_None);
    return release(v, 8, Py_None);
}

/* ---- signals of texts and names: counts that enter as logarithms are written to logged, the rest to its place in out */
static inline int64_t letters_of(const int32_t *c) {
    int64_t sum = 0;
    for (int k = LATIN; k <= KANA; k++) sum += c[k];
    return sum - c[DIGIT];
}

/* ---- pieces between blanks: random letters, names that end in a number, codes, broken addresses (letters.py) */
static inline int is_az(uint32_t c) { return c >= 'a' && c <= 'z'; }
static inline int is_09(uint32_t c) { return c >= '0' && c <= '9'; }

typedef struct {
    const int8_t *table;
    int shortest, longest, random, name, fewest, most, path_shortest, path_longest, code_shortest, code_longest;
} Lettering;

static int is_random(const uint32_t *p, int64_t a, int64_t b, const Lettering *l) {
    while (a < b && !is_az(p[a])) a++;
    while (a < b && !is_az(p[b - 1])) b--;
    if (b - a < l->shortest || b - a > l->longest) return 0;
    int64_t before = 0, sum = 0; /* numbers of the last two letters: 27 x the first + the second */
    for (int64_t i = a; i <= b; i++) {
        if (i < b && !is_az(p[i])) return 0;
        int64_t letter = i < b ? (int64_t)p[i] - 'a' + 1 : 0;
        if (i > a) sum += l->table[before * 27 + letter];
        before = before % 27 * 27 + letter;
    }
    return sum < l->random * (b - a);
}

static int is_numbered(const uint32_t *p, int64_t a, int64_t b, const Lettering *l) {
    int64_t from = a, k;
    while (from < b && !is_az(p[from]) && !is_09(p[from])) from++;
    if (from > a && p[from - 1] == '@') return 0;
    while (b > from && !is_az(p[b - 1]) && !is_09(p[b - 1])) b--;
    for (k = from; k < b && is_az(p[k]);) k++;
    if (k - from < l->name || b - k < l->fewest || b - k > l->most) return 0;
    for (; k < b; k++)
        if (!is_09(p[k])) return 0;
    return 1;
}

/* Letters and digits mixed, so many of them; with `other` only if some letter is none of a hexadecimal number. */
static int is_mixed(const uint32_t *p, int64_t a, int64_t b, int shortest, int longest, int other) {
    int letter = 0, digit = 0, beyond = 0;
    if (b - a < shortest || b - a > longest) return 0;
    for (int64_t i = a; i < b; i++) {
        if (!is_az(p[i]) && !is_09(p[i])) return 0;
        letter |= is_az(p[i]);
        digit |= is_09(p[i]);
        beyond |= p[i] > 'f';
    }
    return letter && digit && (beyond || !other);
}

static int is_code(const uint32_t *p, int64_t a, int64_t b, const Lettering *l) {
    while (a < b && !is_az(p[a]) && !is_09(p[a])) a++;
    while (b > a && !is_az(p[b - 1]) && !is_09(p[b - 1])) b--;
    return is_mixed(p, a, b, l->code_shortest, l->code_longest, 1);
}

#define PIECES 5
PyDoc_STRVAR(pieces_doc, "pieces(points, classes, starts, table, shortest, longest, random, name, fewest, most, path_shortest, path_longest, "
                         "code_shortest, code_longest, out)\n\nThe counts of letters.PIECES of each text.");
static PyObject *pieces(PyObject *self, PyObject *args) {
    Py_buffer v[5];
    Lettering l;
    if (!PyArg_ParseTuple(args, "y*y*y*y*iiiiiiiiiiw*", &v[0], &v[1], &v[2], &v[3], &l.shortest, &l.longest, &l.random, &l.name,
                          &l.fewest, &l.most, &l.path_shortest, &l.path_longest, &l.code_shortest, &l.code_longest, &v[4]))
        return NULL;
    const uint32_t *p = v[0].buf;
    const uint8_t *c = v[1].buf;
    const int64_t *starts = v[2].buf;
    int64_t n = v[2].len / 8 - 1;
    l.table = v[3].buf;
    if (v[3].len != 27 * 27 * 27 || v[4].len != n * PIECES * 4) {
        PyErr_SetString(PyExc_ValueError, "pieces: a table of 27 x 27 x 27, and a row of counts for every text");
        return release(v, 5, NULL);
    }
    Py_BEGIN_ALLOW_THREADS;
    for (int64_t d = 0; d < n; d++) {
        int32_t *out = (int32_t *)v[4].buf + PIECES * d;
        int64_t end = starts[d + 1] - 1;
        for (int64_t i = starts[d], e, slash = 0; i < end; i = e) {
            int letter = 0, digit = 0;
            if (c[i] <= NEWLINE) {
                e = i + 1;
                continue;
            }
            for (e = i; e < end && c[e] > NEWLINE; e++) {
                letter |= is_run(c[e]) && c[e] != DIGIT;
                digit |= is_09(p[e]);
            }
            out[0] += letter;
            if (letter && e - i >= l.shortest) out[1] += is_random(p, i, e, &l);
            if (letter && digit) {
                out[2] += is_numbered(p, i, e, &l);
                out[3] += (slash || p[i] == '/') && is_mixed(p, i + (p[i] == '/'), e, l.path_shortest, l.path_longest, 0);
                out[4] += is_code(p, i, e, &l);
            }
            slash = e - i == 1 && p[i] == '/';
        }
    }
    Py_END_ALLOW_THREADS;
    Py_INCREF(Py_None);
    return release(v, 5, Py_None);
}

PyDoc_STRVAR(text_signals_doc, "text_signals(counts, upper, folds, raw_starts, word, ptr, lists, links, counted, shared, shares, said, own, logged, out)");
static PyObject *text_signals(PyObject *self, PyObject *args) {
    Py_buffer v[14];
    int own;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*y*y*y*y*y*iw*w*", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9],
                          &v[10], &v[11], &own, &v[12], &v[13]))
        return NULL;
    const int32_t *upper = v[1].buf;
    const int64_t *starts = v[3].buf, *ptr = v[5].buf;
    const uint8_t *counted = v[8].buf, *shared = v[9].buf, *shares = v[10].buf, *said = v[11].buf;
    int64_t n = v[5].len / 8 - 1, lists = n ? v[6].len / (4 * n) : 0, says = v[11].len;
    int64_t logs = 2 + v[8].len + 1 + 3 + says + LINK_COLUMNS, width = own + 2 * says + LINK_COLUMNS;
    uint32_t *key = malloc(distinct_room(ptr, n) * sizeof(uint32_t));
    int fits = v[12].len == n * logs * 8 && v[13].len == n * width * 8;
    for (int64_t d = 0; key && fits && d < n; d++) {
        const int32_t *c = (const int32_t *)v[0].buf + d * CLASSES, *hits = (const int32_t *)v[6].buf + d * lists;
        const int32_t *folds = (const int32_t *)v[2].buf + 3 * d;
        const double *links = (const double *)v[7].buf + d * LINK_COLUMNS;
        double *to = (double *)v[12].buf + d * logs, *out = (double *)v[13].buf + d * width;
        int64_t words = ptr[d + 1] - ptr[d], raw = starts[d + 1] - starts[d] - 1, letters = letters_of(c);
        double size = raw > 1 ? (double)raw : 1.0;
        *to++ = size;
        *to++ = (double)words;
        for (int64_t k = 0; k < v[8].len; k++) *to++ = c[counted[k]];
        *to++ = (c[HAN] || c[KANA] ? 0.0 : (double)c[FULLWIDTH]) + (double)c[FANCY];
        for (int k = 0; k < 3; k++) *to++ = folds[k];
        for (int64_t k = 0; k < says; k++) *to++ = hits[said[k]];
        memcpy(to, links, LINK_COLUMNS * sizeof *to);
        double by_word = (double)letters / (double)(words > 1 ? words : 1);
        out[2] = by_word < 20 ? by_word : 20;
        out[3] = (double)upper[d] / (double)(letters > 1 ? letters : 1);
        for (int64_t k = 0; k < v[9].len; k++) out[shares[k]] = (double)c[shared[k]] / size;
        out[own - 1] = words ? (double)distinct_of(v[4].buf, ptr[d], ptr[d + 1], key) / (double)words : 1.0;
        for (int64_t k = 0; k < says; k++) out[own + 1 + 2 * k] = (double)hits[said[k]] / (double)(words > 4 ? words : 4);
    }
    if (!key) PyErr_NoMemory();
    else if (!fits) PyErr_SetString(PyExc_ValueError, "text_signals: a row of both tables for every text");
    free(key);
    if (PyErr_Occurred()) return release(v, 14, NULL);
    Py_INCREF(Py_None);
    return release(v, 14, Py_None);
}

PyDoc_STRVAR(name_signals_doc, "name_signals(counts, upper, raw_starts, ptr, lists, selling, languages, logged, out)");
#define NAME_LOGS 4
static PyObject *name_signals(PyObject *self, PyObject *args) {
    Py_buffer v[9];
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*w*w*", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8])) return NULL;
    const int32_t *capitals = v[1].buf;
    const int64_t *starts = v[2].buf, *ptr = v[3].buf;
    const uint8_t *selling = v[5].buf, *languages = v[6].buf;
    int64_t n = v[3].len / 8 - 1, lists = n ? v[4].len / (4 * n) : 0, width = n ? v[8].len / (8 * n) : 0;
    int fits = v[7].len == n * NAME_LOGS * 8 && (!n || width >= 11);
    for (int64_t d = 0; fits && d < n; d++) {
        const int32_t *c = (const int32_t *)v[0].buf + d * CLASSES, *hits = (const int32_t *)v[4].buf + d * lists;
        double *to = (double *)v[7].buf + d * NAME_LOGS, *out = (double *)v[8].buf + d * width;
        int64_t words = ptr[d + 1] - ptr[d], size = starts[d + 1] - starts[d] - 1, letters = letters_of(c), sold = 0, common = 0;
        if (letters < 1) letters = 1;
        for (int64_t k = 0; k < v[5].len; k++) sold += hits[selling[k]];
        for (int64_t k = 0; k < v[6].len; k++)
            if (hits[languages[k]] > common) common = hits[languages[k]];
        int64_t signs = size - letters - c[DIGIT] - c[SPACE];
        out[0] = size > 0;
        out[1] = (double)(words < 8 ? words : 8);
        out[2] = words > 5 ? 4.0 : words > 1 ? (double)(words - 1) : 0.0;
        out[4] = (double)c[DIGIT] / (double)(size > 1 ? size : 1);
        out[5] = (double)(capitals[d] < 6 ? capitals[d] : 6) / (double)(words > 1 ? words : 1);
        out[6] = size > 0 && capitals[d] == 0 && c[LATIN] > 0;
        out[9] = (double)sold / (double)(words > 1 ? words : 1);
        to[0] = (double)size;
        to[1] = (double)(signs > 0 ? signs : 0);
        to[2] = (double)sold;
        to[3] = (double)common;
    }
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "name_signals: a row of both tables for every name");
        return release(v, 9, NULL);
    }
    Py_INCREF(Py_None);
    return release(v, 9, Py_None);
}

/* ---- inputs of the last stage */
enum { OF_TEXT, OF_PROSE, OF_NAME, OF_HOST, OF_RELATION, OF_FOREIGN, FIRST_STAGE };

PyDoc_STRVAR(stages_doc, "stages(logits, values, bent, knots, with_relation, url, factors, limit, out)\n\nAs stage_inputs does; logits by model, then comment.");
static PyObject *stages(PyObject *self, PyObject *args) {
    Py_buffer v[7];
    int url;
    double limit;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*iy*dw*", &v[0], &v[1], &v[2], &v[3], &v[4], &url, &v[5], &limit, &v[6])) return NULL;
    int64_t n = v[0].len / (8 * FIRST_STAGE), dense = n ? v[1].len / (8 * n) : 0;
    int64_t bends = v[2].len / 4, with_relation = v[4].len / 4, products = v[5].len / 8;
    int64_t width = FIRST_STAGE + bends + 3 + with_relation + 2 + products + dense;
    const int32_t *bent = v[2].buf, *with = v[4].buf, *factors = v[5].buf;
    const double *knots = v[3].buf;
    if (v[6].len != n * width * 8) {
        PyErr_SetString(PyExc_ValueError, "stages: a row of inputs for every comment");
        return release(v, 7, NULL);
    }
    for (int64_t d = 0; d < n; d++) {
        const double *x = (const double *)v[1].buf + d * dense;
        double *to = (double *)v[6].buf + d * width, logit[FIRST_STAGE];
        for (int k = 0; k < FIRST_STAGE; k++) {
            double z = ((const double *)v[0].buf)[k * n + d];
            *to++ = logit[k] = z < -limit ? -limit : z > limit ? limit : z;
        }
        for (int64_t k = 0; k < bends; k++) *to++ = larger(logit[bent[k]] - knots[k], 0.0);
        double far = larger(logit[OF_RELATION], 0.0), near = larger(-logit[OF_RELATION], 0.0);
        *to++ = far * larger(logit[OF_PROSE], 0.0);
        *to++ = far * logit[OF_TEXT];
        *to++ = near * logit[OF_TEXT];
        for (int64_t k = 0; k < with_relation; k++) *to++ = far * x[with[k]];
        *to++ = x[url] * logit[OF_TEXT];
        *to++ = x[url] * logit[OF_NAME];
        for (int64_t k = 0; k < products; k++) *to++ = x[factors[2 * k]] * x[factors[2 * k + 1]];
        memcpy(to, x, (size_t)dense * sizeof *x);
    }
    Py_INCREF(Py_None);
    return release(v, 7, Py_None);
}

/* ---- hidden units of a network */
PyDoc_STRVAR(units_doc, "units(x, mean, scale, hidden, bias, limit, out)\n\nAs Network._units does; sums in the order of the inputs.");
static PyObject *units(PyObject *self, PyObject *args) {
    Py_buffer v[6];
    double limit;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*dw*", &v[0], &v[1], &v[2], &v[3], &v[4], &limit, &v[5])) return NULL;
    int64_t inputs = v[1].len / 8, width = v[4].len / 8, n = inputs ? v[0].len / (8 * inputs) : 0;
    const double *mean = v[1].buf, *scale = v[2].buf, *bias = v[4].buf;
    if (v[2].len != v[1].len || v[3].len != inputs * width * 8 || v[5].len != n * width * 8) {
        PyErr_SetString(PyExc_ValueError, "units: a weight for every input and unit, a unit for every comment");
        return release(v, 6, NULL);
    }
    for (int64_t d = 0; d < n; d++) {
        const double *x = (const double *)v[0].buf + d * inputs, *weight = v[3].buf;
        double *restrict to = (double *)v[5].buf + d * width;
        memcpy(to, bias, (size_t)width * sizeof *to);
        for (int64_t j = 0; j < inputs; j++, weight += width) {
            double z = (x[j] - mean[j]) / scale[j];
            z = z < -limit ? -limit : z > limit ? limit : z;
            for (int64_t k = 0; k < width; k++) to[k] += z * weight[k];
        }
        for (int64_t k = 0; k < width; k++) to[k] = larger(to[k], 0.0);
    }
    Py_INCREF(Py_None);
    return release(v, 6, Py_None);
}

/* ---- the rarest words, for reasons */
typedef struct {
    int64_t begin, end;
    double rarity;
} Rare;

/* A character that is a word by itself: 1, 0, or -1 where only Python's tables tell. */
static int alone_is_word(uint32_t c, const uint8_t *bits) {
    if (c >= 0x1F300 && c < 0x1FB00) return 0; /* pictures */
    if (c >= 0x10000 || bits[c] & ASK) return -1;
    return bits[c] & WORDLIKE && c != '_';
}

/* Words spelled out (places[2k], places[2k + 1]); -1 where Python has to look. */
static int64_t spelled(const uint32_t *p, const uint8_t *c, int64_t a, int64_t b, const uint8_t *bits, int64_t *places, int64_t most) {
    int64_t used = 0;
    for (int64_t i = a; i < b;) {
        if (is_gap(c[i])) {
            i++;
            continue;
        }
        int64_t begin = i;
        if (is_word(c[i++]))
            while (i < b && is_word(c[i])) i++;
        int counts = i - begin > 1 ? 1 : alone_is_word(p[begin], bits);
        for (int64_t k = begin; k < i; k++)
            if (p[k] >= 0xD800 && p[k] < 0xE000) counts = -1;
        if (counts < 0) return -1;
        if (!counts) continue;
        if (used == most) return most + 1;
        places[2 * used] = begin;
        places[2 * used++ + 1] = i;
    }
    return used;
}

/* The words of a title and its article, or those that several comments of a page have.  whose: the comment that alone has
   the word, or EVERYBODYS. */
enum { EVERYBODYS = -1, NOBODYS = -2 };
typedef struct {
    uint32_t *key;
    int32_t *whose;
    uint64_t mask;
    int32_t zero; /* whose the word zero is, which is no key */
} Context;

static void context_clear(Context *t) {
    memset(t->key, 0, (t->mask + 1) * sizeof *t->key);
    t->zero = NOBODYS;
}

static uint64_t place_of(const Context *t, uint32_t h) {
    uint64_t at = (h * (uint32_t)MIX) >> 7 & t->mask;
    while (t->key[at] && t->key[at] != h) at = (at + 1) & t->mask;
    return at;
}

static void take_in(Context *t, const uint32_t *words, int64_t a, int64_t b, int32_t whose) {
    for (int64_t i = a; i < b; i++) {
        uint64_t at = words[i] ? place_of(t, words[i]) : 0;
        int32_t *owner = words[i] ? &t->whose[at] : &t->zero;
        int is_new = words[i] ? !t->key[at] : t->zero == NOBODYS;
        *owner = is_new || *owner == whose ? whose : EVERYBODYS;
        if (words[i]) t->key[at] = words[i];
    }
}

static inline int is_there(const Context *t, uint32_t h) {
    if (!h) return t->zero == EVERYBODYS;
    uint64_t at = place_of(t, h);
    return t->key[at] == h && t->whose[at] == EVERYBODYS;
}

#define RARE_MOST 64

/* Hashed words of texts, and where those of each begin. */
typedef struct {
    const uint32_t *word;
    const int64_t *ptr;
    int64_t n;
} Told;

/* 1 if every text's words stand within the array. */
static int told_of(const Py_buffer *word, const Py_buffer *ptr, Told *t) {
    *t = (Told){word->buf, ptr->buf, ptr->len / 8 - 1};
    for (int64_t i = 0; i < t->n; i++)
        if (t->ptr[i] < 0 || t->ptr[i] > t->ptr[i + 1] || t->ptr[i + 1] > word->len / 4) return 0;
    return t->n >= 0;
}

/* The rarest of n words (w, at places), of more than least, that the context has, or has not; of equal ones the first.  best has room for one more. */
static int64_t rarest_of(const uint32_t *w, int64_t n, const int64_t *places, const Context *context, int shared, const Idf *idf,
                         int64_t looked_at, double least, Rare *best) {
    int64_t kept = 0;
    for (int64_t i = 0; i < n; i++) {
        double g = is_there(context, w[i]) == shared ? idf->weight[w[i] >> idf->shift] : 0.0;
        if (!(g > least) || (kept == looked_at && !(g > best[kept - 1].rarity))) continue;
        int64_t at = kept < looked_at ? kept++ : kept - 1;
        for (; at > 0 && best[at - 1].rarity < g; at--) best[at] = best[at - 1];
        best[at] = (Rare){places[2 * i], places[2 * i + 1], g};
    }
    return kept;
}

/* Says the first few different ones of more than one letter. */
static int say_rarest(const uint32_t *p, Rare *best, int64_t kept, int64_t most, Said *said) {
    int64_t n = 0;
    for (int64_t k = 0; k < kept && n < most; k++) {
        int64_t length = best[k].end - best[k].begin;
        int again = length < 2;
        for (int64_t j = 0; j < n && !again; j++)
            again = best[j].end - best[j].begin == length && !memcmp(p + best[j].begin, p + best[k].begin, (size_t)length * sizeof *p);
        if (again) continue;
        best[n++] = best[k];
        if (say(said, p, best[k].begin, best[k].end) < 0) return -1;
    }
    return 0;
}

PyDoc_STRVAR(rarest_doc, "rarest(points, classes, starts, texts, shared, context_of, word, ptr, title_word, title_ptr, article_word,\n"
                         "article_ptr, patterns, idf, thread_of, idf_shift, looked_at, most, least) -> [str or None, ...]\n\n"
                         "Of each text asked for: the rarest words, of more than least, that its title and article share (shared: 1)\n"
                         "or lack (0), or, where there are threads, the other texts of its thread; None where Python has to look.");
static PyObject *rarest(PyObject *self, PyObject *args) {
    Py_buffer v[15];
    int shift, looked_at, most;
    double least;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*y*y*y*y*y*y*y*y*iiid", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8],
                          &v[9], &v[10], &v[11], &v[12], &v[13], &v[14], &shift, &looked_at, &most, &least))
        return NULL;
    const uint32_t *p = v[0].buf;
    const int64_t *starts = v[2].buf, *texts = v[3].buf, *context_of = v[5].buf, *thread_of = v[14].buf;
    const int others = v[14].len > 0;
    const uint8_t *shared = v[4].buf;
    const Idf idf = {v[13].buf, shift};
    Told mine, titles, articles;
    int fits = told_of(&v[6], &v[7], &mine) && told_of(&v[8], &v[9], &titles) && told_of(&v[10], &v[11], &articles);
    int64_t asked = v[3].len / 8, room = 0;
    fits = fits && (!others || v[14].len / 8 == mine.n);
    fits = fits && looked_at <= RARE_MOST && v[4].len == asked && v[5].len / 8 == mine.n && v[2].len / 8 == mine.n + 1;
    for (int64_t k = 0; k < asked && fits; k++) {
        int64_t i = texts[k];
        fits = i >= 0 && i < mine.n && starts[i] >= 0 && starts[i] <= starts[i + 1] && starts[i + 1] <= v[1].len;
        fits = fits && (others || (context_of[i] >= 0 && context_of[i] < titles.n && context_of[i] < articles.n));
        if (fits && mine.ptr[i + 1] - mine.ptr[i] > room) room = mine.ptr[i + 1] - mine.ptr[i];
    }
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "rarest: places within the arrays");
        return release(v, 15, NULL);
    }
    int64_t longest_context = 0, read = -1;
    int read_any = 0;
    for (int64_t k = 0; k < asked; k++) {
        if (others && k && thread_of[texts[k]] == thread_of[texts[k - 1]]) continue;
        if (others) {
            int64_t size = 0;
            for (int64_t i = 0; i < mine.n; i++)
                if (thread_of[i] == thread_of[texts[k]]) size += mine.ptr[i + 1] - mine.ptr[i];
            if (size > longest_context) longest_context = size;
            continue;
        }
        int64_t x = context_of[texts[k]], size = titles.ptr[x + 1] - titles.ptr[x] + articles.ptr[x + 1] - articles.ptr[x];
        if (size > longest_context) longest_context = size;
    }
    Context context = {NULL, NULL, 63, NOBODYS};
    while (context.mask + 1 < 2 * (uint64_t)longest_context) context.mask = 2 * context.mask + 1;
    context.key = malloc((context.mask + 1) * sizeof *context.key);
    context.whose = malloc((context.mask + 1) * sizeof *context.whose);
    int64_t *places = malloc((size_t)(2 * room + 2) * sizeof *places);
    Rare best[RARE_MOST + 1];
    Said said = {NULL, 0, 0};
    PyObject *out = context.key && context.whose && places ? PyList_New((Py_ssize_t)asked) : PyErr_NoMemory();
    for (int64_t k = 0; k < asked && out; k++) {
        int64_t i = texts[k], x = others ? thread_of[i] : context_of[i], n = mine.ptr[i + 1] - mine.ptr[i];
        const uint32_t *w = mine.word + mine.ptr[i];
        int64_t found = spelled(p, v[1].buf, starts[i], starts[i + 1], v[12].buf, places, n);
        PyObject *one = NULL;
        if (found < 0) {
            one = Py_None;
            Py_INCREF(one);
        } else {
            int failed = 0;
            if (found == n) { /* else Chinese or Japanese: the words are no words that can be quoted */
                if (x != read || !read_any) { /* comments of one article, or of one page, stand together */
                    context_clear(&context);
                    if (!others) {
                        take_in(&context, titles.word, titles.ptr[x], titles.ptr[x + 1], EVERYBODYS);
                        take_in(&context, articles.word, articles.ptr[x], articles.ptr[x + 1], EVERYBODYS);
                    }
                    for (int64_t j = 0; j < mine.n && others; j++)
                        if (thread_of[j] == x) take_in(&context, mine.word, mine.ptr[j], mine.ptr[j + 1], (int32_t)j);
                    read = x;
                    read_any = 1;
                }
                int64_t kept = rarest_of(w, n, places, &context, shared[k], &idf, looked_at, least, best);
                failed = say_rarest(p, best, kept, most, &said);
            }
            one = failed ? PyErr_NoMemory() : as_string(&said);
        }
        if (!one || PyList_SetItem(out, (Py_ssize_t)k, one) < 0) Py_CLEAR(out);
    }
    free(context.key);
    free(context.whose);
    free(places);
    free(said.points);
    return release(v, 15, out);
}

/* ---- segment: the text of serialised HTML, and the class names of a page */

/* Bytes of the white space (as str.isspace has it) that begins at s, 0 if none does. */
static inline int space_at(const unsigned char *s, const unsigned char *end) {
    unsigned char c = *s;
    if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31);
    if (c == 0xC2) return s + 1 < end && (s[1] == 0x85 || s[1] == 0xA0) ? 2 : 0;
    if (c < 0xE1 || c > 0xE3 || end - s < 3) return 0;
    unsigned x = (unsigned)(s[1] & 0x3F) << 6 | (s[2] & 0x3F) | (unsigned)(c & 15) << 12;
    return x == 0x1680 || (x >= 0x2000 && x <= 0x200A) || x == 0x2028 || x == 0x2029 || x == 0x202F || x == 0x205F || x == 0x3000
               ? 3
               : 0;
}

/* Bytes of the white space that ends before end, 0 if none does. */
static inline int space_before(const unsigned char *begin, const unsigned char *end) {
    for (int back = 1; back <= 3 && end - back >= begin; back++)
        if ((end[-back] & 0xC0) != 0x80) return space_at(end - back, end) == back ? back : 0;
    return 0;
}

/* White space at both ends of [s, end) left out and each run within made one space; to may be s. Returns the new length. */
static Py_ssize_t fold_spaces(unsigned char *to, const unsigned char *s, const unsigned char *end) {
    unsigned char *at = to;
    while (s < end) {
        int gap = space_at(s, end);
        if (gap) {
            s += gap;
            continue;
        }
        if (at > to) *at++ = ' ';
        while (s < end && !space_at(s, end)) *at++ = *s++;
    }
    return at - to;
}

/* The end of the tag that begins with the "<" at s, and its name; NULL if none begins there. */
static const unsigned char *tag_end(const unsigned char *s, const unsigned char *end, const unsigned char **name, Py_ssize_t *length) {
    s++;
    if (s < end && *s == '/') s++;
    if (s >= end || (*s | 32) < 'a' || (*s | 32) > 'z') return NULL;
    *name = s++;
    while (s < end && *s != '/' && *s != '<' && *s != '>' && !space_at(s, end)) s++;
    *length = s - *name;
    for (; s < end && *s != '<'; s++) {
        if (*s == '>') return s + 1;
        if (*s == '"' && !(s = memchr(s + 1, '"', end - s - 1))) return NULL;
    }
    return NULL;
}

/* Whether the names, each between spaces and sorted, have this one; first[] is where those of a letter begin. */
static inline int is_block(const char *blocks, const int *first, const unsigned char *name, Py_ssize_t length) {
    unsigned letter = name[0] - 'a';
    if (letter >= 26) return 0;
    for (const char *b = blocks + first[letter]; *b == (char)name[0];) {
        const char *stop = strchr(b, ' ');
        if (stop - b == length && !memcmp(b, name, length)) return 1;
        b = stop + 1;
    }
    return 0;
}

PyDoc_STRVAR(html_text_doc,
             "html_text(source, blocks) -> str\n\nText of serialised HTML without remarks and scripts; ``blocks`` are the sorted names "
             "of the elements on lines of their own, a space after each; U+E000 stands for a line break to keep.");
static PyObject *html_text(PyObject *self, PyObject *args) {
    PyObject *source;
    const char *blocks;
    if (!PyArg_ParseTuple(args, "Us", &source, &blocks)) return NULL;
    Py_ssize_t n;
    const unsigned char *s = (const unsigned char *)PyUnicode_AsUTF8AndSize(source, &n);
    if (!s) return NULL;
    int first[26];
    for (int k = 0; k < 26; k++) first[k] = (int)strlen(blocks);
    for (int k = (int)strlen(blocks) - 1; k >= 0; k--)
        if ((k == 0 || blocks[k - 1] == ' ') && blocks[k] >= 'a' && blocks[k] <= 'z') first[blocks[k] - 'a'] = k;
    unsigned char *text = malloc(n + 1);
    if (!text) return PyErr_NoMemory();
    const unsigned char *end = s + n;
    unsigned char *to = text;
    int lines = 0, entities = 0;
    while (s < end) {
        unsigned char c = *s;
        if (c == '<') {
            const unsigned char *name, *after;
            Py_ssize_t length;
            if ((after = tag_end(s, end, &name, &length))) {
                if (is_block(blocks, first, name, length)) {
                    *to++ = '\n';
                    lines = 1;
                }
                s = after;
                continue;
            }
        } else if (c == '\n' || c == '\t') {
            *to++ = ' ';
            s++;
            continue;
        } else if (c == '&') {
            entities = 1;
        } else if (c == 0xC2 && s[1] == 0xA0) {
            *to++ = ' ';
            s += 2;
            continue;
        } else if (c == 0xE2 && s[1] == 0x80 && s[2] == 0x8B) {
            s += 3;
            continue;
        } else if (c == 0xEE && s[1] == 0x80 && s[2] == 0x80) {
            *to++ = '\n';
            lines = 1;
            s += 3;
            continue;
        }
        *to++ = c;
        s++;
    }
    if (entities) { /* of the text without tags, as one may have stood within a name */
        static const struct {
            const char *name;
            int length;
            char sign;
        } known[] = {{"&nbsp;", 6, ' '}, {"&lt;", 4, '<'}, {"&gt;", 4, '>'}, {"&amp;", 5, '&'}};
        const unsigned char *from = text, *stop = to;
        for (to = text; from < stop;) {
            int k = 4;
            if (*from == '&')
                for (k = 0; k < 4; k++)
                    if (stop - from >= known[k].length && !memcmp(from, known[k].name, known[k].length)) break;
            *to++ = k < 4 ? (unsigned char)known[k].sign : *from;
            from += k < 4 ? known[k].length : 1;
        }
    }
    Py_ssize_t used;
    if (!lines) {
        used = fold_spaces(text, text, to);
    } else {
        unsigned char *out = text, *line = text;
        while (line <= to) {
            unsigned char *stop = line < to ? memchr(line, '\n', to - line) : NULL;
            if (!stop) stop = to;
            unsigned char *a = line, *b = stop;
            for (int gap; a < b && (gap = space_at(a, b));) a += gap;
            for (int gap; a < b && (gap = space_before(a, b));) b -= gap;
            line = stop + 1;
            if (a == b) continue;
            if (out > text) *out++ = '\n';
            int wide = 0; /* two spaces somewhere: only then a line is folded */
            for (unsigned char *x = a; (x = memchr(x, ' ', b - x)) && x + 1 < b; x++)
                if (x[1] == ' ') {
                    wide = 1;
                    break;
                }
            if (wide) {
                out += fold_spaces(out, a, b);
            } else {
                memmove(out, a, b - a);
                out += b - a;
            }
        }
        used = out - text;
    }
    PyObject *result = PyUnicode_DecodeUTF8((const char *)text, used, NULL);
    free(text);
    return result;
}

static inline int is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The length of the character at s as strict UTF-8 has it, 0 where it is none. */
static inline int utf8_at(const unsigned char *s, Py_ssize_t left) {
    if (s[0] < 0x80) return 1;
    int more = s[0] >= 0xC2 && s[0] < 0xE0 ? 1 : (s[0] & 0xF0) == 0xE0 ? 2 : s[0] >= 0xF0 && s[0] < 0xF5 ? 3 : 0;
    if (!more || left <= more) return 0;
    for (int k = 1; k <= more; k++)
        if ((s[k] & 0xC0) != 0x80) return 0;
    if (s[0] == 0xE0 && s[1] < 0xA0) return 0; /* longer than need be */
    if (s[0] == 0xED && s[1] >= 0xA0) return 0; /* half of a surrogate pair */
    if (s[0] == 0xF0 && s[1] < 0x90) return 0;
    if (s[0] == 0xF4 && s[1] >= 0x90) return 0; /* beyond the last character */
    return more + 1;
}

PyDoc_STRVAR(is_utf8_doc, "is_utf8(source) -> bool\n\nWhether bytes.decode() would read the source.");
static PyObject *is_utf8(PyObject *self, PyObject *args) {
    Py_buffer v;
    if (!PyArg_ParseTuple(args, "y*", &v)) return NULL;
    const unsigned char *s = v.buf, *end = s + v.len;
    int length = 1;
    while (s < end && length) {
        uint64_t eight;
        while (end - s >= 8 && (memcpy(&eight, s, 8), !(eight & 0x8080808080808080ULL))) s += 8;
        while (s < end && *s < 0x80) s++;
        while (s < end && *s >= 0x80 && (length = utf8_at(s, end - s))) s += length;
    }
    PyBuffer_Release(&v);
    return PyBool_FromLong(length);
}

PyDoc_STRVAR(present_doc, "present(source, words) -> bytes\n\nFor each of the words (a line each): 1 if it stands in the source, else 0.");
static PyObject *present(PyObject *self, PyObject *args) {
    Py_buffer v[2];
    if (!PyArg_ParseTuple(args, "s*y*", &v[0], &v[1])) return NULL;
    enum { MOST = 256, HEADS = 4096 }; /* words are found by their first two bytes */
    const unsigned char *s = v[0].buf, *word[MOST], *w = v[1].buf, *stop = w + v[1].len;
    Py_ssize_t n = v[0].len, length[MOST], words = 0, left = 0;
    int16_t head[HEADS], next[MOST];
    char found[MOST];
    memset(head, 0xFF, sizeof head);
    while (w <= stop && words < MOST) {
        const unsigned char *end = w < stop ? memchr(w, '\n', stop - w) : NULL;
        if (!end) end = stop;
        word[words] = w;
        length[words] = end - w;
        found[words] = end - w < 2 && (end == w || (n && memchr(s, *w, n)));
        if (length[words] >= 2) {
            int at = (w[0] << 5 ^ w[1]) & (HEADS - 1);
            next[words] = head[at];
            head[at] = (int16_t)words;
            left++;
        }
        words++;
        w = end + 1;
    }
    if (w <= stop) {
        PyErr_SetString(PyExc_ValueError, "present: at most 256 words");
        return release(v, 2, NULL);
    }
    for (Py_ssize_t i = 0; i + 1 < n && left; i++)
        for (int k = head[(s[i] << 5 ^ s[i + 1]) & (HEADS - 1)]; k >= 0; k = next[k])
            if (!found[k] && length[k] <= n - i && !memcmp(s + i, word[k], length[k])) {
                found[k] = 1;
                left--;
            }
    return release(v, 2, PyBytes_FromStringAndSize(found, words));
}

PyDoc_STRVAR(class_names_doc, "class_names(source) -> bytes\n\nThe different names in the class attributes of a page, a line each.");
static PyObject *class_names(PyObject *self, PyObject *args) {
    Py_buffer v;
    if (!PyArg_ParseTuple(args, "y*", &v)) return NULL;
    enum { LONGEST = 1000, SLOTS = 4096 }; /* longer is no list of names but a script's; a name whose slot another one has may stand there twice, which harms nobody */
    const char *begin = v.buf, *end = begin + v.len, *s = begin;
    char *out = malloc(v.len + 1), *to = out;
    int64_t *seen = calloc(SLOTS, 2 * sizeof(int64_t)); /* where it begins in out and how long it is */
    if (!out || !seen) {
        free(out);
        free(seen);
        PyBuffer_Release(&v);
        return PyErr_NoMemory();
    }
    while ((s = memchr(s, '=', end - s))) {
        s++;
        if (s - begin < 6 || memcmp(s - 6, "class", 5)) continue;
        const char *from = s;
        if (from < end && (*from == '"' || *from == '\'')) from++;
        const char *stop = from, *last = end - from > LONGEST ? from + LONGEST : end;
        while (stop < last && *stop != '"' && *stop != '\'' && *stop != '>') {
            uint64_t h = 0;
            const char *word = stop;
            for (; stop < last && *stop != '"' && *stop != '\'' && *stop != '>' && !is_blank(*stop); stop++)
                h = (h + (unsigned char)*stop) * POWER_BASE;
            int64_t length = stop - word, *slot = seen + 2 * (mix(h) % SLOTS);
            if (stop < last && is_blank(*stop)) stop++;
            if (!length || (slot[1] == length && !memcmp(out + slot[0], word, length))) continue;
            slot[0] = to - out;
            slot[1] = length;
            memcpy(to, word, length);
            to += length;
            *to++ = '\n';
        }
        if (stop != from) s = begin = stop; /* what is within a value opens none */
    }
    PyObject *result = PyBytes_FromStringAndSize(out, to - out);
    free(out);
    free(seen);
    PyBuffer_Release(&v);
    return result;
}

PyDoc_STRVAR(list_items_doc, "list_items(source) -> int\n\nHow many list items (\"<li\") begin in a page.");
static PyObject *list_items(PyObject *self, PyObject *args) {
    Py_buffer v;
    if (!PyArg_ParseTuple(args, "y*", &v)) return NULL;
    const char *s = v.buf, *end = s + v.len;
    Py_ssize_t n = 0;
    while (end - s > 2 && (s = memchr(s, '<', end - s - 2))) {
        n += s[1] == 'l' && s[2] == 'i';
        s++;
    }
    PyBuffer_Release(&v);
    return PyLong_FromSsize_t(n);
}

static PyMethodDef methods[] = {
    {"list_items", list_items, METH_VARARGS, list_items_doc},
    {"html_text", html_text, METH_VARARGS, html_text_doc},
    {"is_utf8", is_utf8, METH_VARARGS, is_utf8_doc},
    {"present", present, METH_VARARGS, present_doc},
    {"class_names", class_names, METH_VARARGS, class_names_doc},
    {"ngram_counts", ngram_counts, METH_VARARGS, ngram_counts_doc},
    {"ngram_dot", ngram_dot, METH_VARARGS, ngram_dot_doc},
    {"survey", survey, METH_VARARGS, survey_doc},
    {"fold", fold, METH_VARARGS, fold_doc},
    {"links", links, METH_VARARGS, links_doc},
    {"distinct", distinct, METH_VARARGS, distinct_doc},
    {"words", words, METH_VARARGS, words_doc},
    {"list_counts", list_counts, METH_VARARGS, list_counts_doc},
    {"quotes", quotes, METH_VARARGS, quotes_doc},
    {"relate", relate, METH_VARARGS, relate_doc},
    {"overlaps", overlaps, METH_VARARGS, overlaps_doc},
    {"company", company, METH_VARARGS, company_doc},
    {"tell", tell, METH_VARARGS, tell_doc},
    {"pieces", pieces, METH_VARARGS, pieces_doc},
    {"text_signals", text_signals, METH_VARARGS, text_signals_doc},
    {"name_signals", name_signals, METH_VARARGS, name_signals_doc},
    {"stages", stages, METH_VARARGS, stages_doc},
    {"units", units, METH_VARARGS, units_doc},
    {"rarest", rarest, METH_VARARGS, rarest_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_kernel", "Compiled loops of spamfilter.", -1, methods,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernel(void) {
    for (int k = 0; k <= COUNT_CAP; k++) LOG1P[k] = log1p((double)k);
    PyObject *made = PyModule_Create(&module);
    if (made && PyModule_AddIntConstant(made, "version", VERSION) < 0) Py_CLEAR(made);
    return made;
}
