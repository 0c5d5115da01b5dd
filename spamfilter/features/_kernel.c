/* Compiled loops of spamfilter.features.

   Every function here has a NumPy twin in the same room (hashing.py, relatedness.py, signals.py) that defines what it
   computes; a test compares the two.  The twin is used where no compiler was at hand when the package was installed.

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

enum { SPACE = 0, NEWLINE = 1, LATIN = 2, DIGIT = 3, FANCY = 14, HAN = 15, KANA = 16, INVISIBLE = 26, CONTROL = 27,
       SEPARATOR = 28 };

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

/* ---- what a comment shares with its context */
PyDoc_STRVAR(relate_doc, "relate(word, ptr, context_word, context_ptr, order, context_of, idf, idf_shift, out)");
#define IDF_BINS 6
#define RELATE_COLUMNS (8 + 2 * IDF_BINS)
static PyObject *relate(PyObject *self, PyObject *args) {
    Py_buffer v[8];
    int shift;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*iw*", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &shift, &v[7])) return NULL;
    const uint32_t *w = v[0].buf, *cw = v[2].buf;
    const int64_t *ptr = v[1].buf, *cptr = v[3].buf, *order = v[4].buf, *context_of = v[5].buf;
    const float *idf = v[6].buf;
    double *out = v[7].buf;
    int64_t n = v[1].len / 8 - 1, contexts = v[3].len / 8 - 1;
    Counter mine, theirs;
    int ok = counter_init(&mine, (uint64_t)(2 * longest(ptr, n) + 64), 0);
    ok &= counter_init(&theirs, (uint64_t)(2 * longest(cptr, contexts) + 64), 0);
    if (ok) {
        Py_BEGIN_ALLOW_THREADS;
        int64_t now = -1;
        double norm = 0.0;
        for (int64_t o = 0; o < n; o++) {
            int64_t d = order[o], x = context_of[d];
            double *row = out + d * RELATE_COLUMNS;
            if (x >= 0 && x != now) {
                counter_clear(&theirs, (uint64_t)(cptr[x + 1] - cptr[x]));
                norm = 0.0;
                for (int64_t i = cptr[x]; i < cptr[x + 1]; i++) {
                    uint64_t at = slot(&theirs, cw[i] >> 1);
                    if (!theirs.key[at]) {
                        theirs.key[at] = (cw[i] >> 1) + 1;
                        theirs.count[at] = 0;
                    }
                    theirs.count[at]++;
                }
                for (uint64_t at = 0; at <= theirs.mask; at++)
                    if (theirs.key[at]) {
                        double f = idf[((theirs.key[at] - 1) << 1) >> shift] * log1p_of(theirs.count[at]);
                        norm += f * f;
                    }
                now = x;
            }
            counter_clear(&mine, (uint64_t)(ptr[d + 1] - ptr[d]));
            for (int64_t i = ptr[d]; i < ptr[d + 1]; i++) {
                uint64_t at = slot(&mine, w[i] >> 1);
                if (!mine.key[at]) {
                    mine.key[at] = (w[i] >> 1) + 1;
                    mine.count[at] = 0;
                }
                mine.count[at]++;
            }
            double mass = 0, shared = 0, dot = 0, own = 0, top = 0, distinct = 0, both = 0;
            for (int k = 8; k < RELATE_COLUMNS; k++) row[k] = 0;
            for (uint64_t at = 0; at <= mine.mask; at++) {
                if (!mine.key[at]) continue;
                double g = idf[((mine.key[at] - 1) << 1) >> shift], f = g * log1p_of(mine.count[at]);
                mass += g;
                own += f * f;
                distinct++;
                if (x < 0) continue;
                int bin = (int)(g * IDF_BINS);
                if (bin >= IDF_BINS) bin = IDF_BINS - 1;
                if (bin < 0) bin = 0;
                uint64_t there = slot(&theirs, mine.key[at] - 1);
                if (!theirs.key[there]) {
                    row[8 + bin]++;
                    continue;
                }
                row[8 + IDF_BINS + bin]++;
                shared += g;
                both++;
                dot += f * g * log1p_of(theirs.count[there]);
                if (g > top) top = g;
            }
            row[0] = mass;
            row[1] = shared;
            row[2] = dot;
            row[3] = own;
            row[4] = x >= 0 ? norm : 0.0;
            row[5] = distinct;
            row[6] = both;
            row[7] = top;
        }
        Py_END_ALLOW_THREADS;
    }
    counter_free(&mine);
    counter_free(&theirs);
    if (!ok) return release(v, 8, PyErr_NoMemory());
    Py_INCREF(Py_None);
    return release(v, 8, Py_None);
}

static PyMethodDef methods[] = {
    {"ngram_counts", ngram_counts, METH_VARARGS, ngram_counts_doc},
    {"ngram_dot", ngram_dot, METH_VARARGS, ngram_dot_doc},
    {"words", words, METH_VARARGS, words_doc},
    {"list_counts", list_counts, METH_VARARGS, list_counts_doc},
    {"relate", relate, METH_VARARGS, relate_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_kernel", "Compiled loops of spamfilter.features.", -1, methods,
                                    NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__kernel(void) {
    for (int k = 0; k <= COUNT_CAP; k++) LOG1P[k] = log1p((double)k);
    return PyModule_Create(&module);
}
