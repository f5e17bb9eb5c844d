/* The opcodes of pickles, protocols 0 to 5, under the names of CPython's
 * Lib/pickletools.py. */
#ifndef VB_PICKLE_OPCODES_H
#define VB_PICKLE_OPCODES_H

enum {
    /* protocol and frames */
    PROTO = 0x80,
    FRAME = 0x95,
    STOP = '.',
    /* numbers */
    NONE = 'N',
    NEWTRUE = 0x88,
    NEWFALSE = 0x89,
    INT = 'I',
    LONG = 'L',
    BININT1 = 'K',
    BININT2 = 'M',
    BININT = 'J',
    LONG1 = 0x8a,
    LONG4 = 0x8b,
    FLOAT = 'F',
    BINFLOAT = 'G',
    /* text and bytes */
    STRING = 'S',
    UNICODE = 'V',
    SHORT_BINSTRING = 'U',
    BINSTRING = 'T',
    BINUNICODE = 'X',
    SHORT_BINUNICODE = 0x8c,
    BINUNICODE8 = 0x8d,
    SHORT_BINBYTES = 'C',
    BINBYTES = 'B',
    BINBYTES8 = 0x8e,
    BYTEARRAY8 = 0x96,
    /* containers */
    EMPTY_TUPLE = ')',
    EMPTY_LIST = ']',
    EMPTY_DICT = '}',
    EMPTY_SET = 0x8f,
    TUPLE = 't',
    LIST = 'l',
    DICT = 'd',
    FROZENSET = 0x91,
    TUPLE1 = 0x85,
    TUPLE2 = 0x86,
    TUPLE3 = 0x87,
    APPEND = 'a',
    SETITEM = 's',
    APPENDS = 'e',
    SETITEMS = 'u',
    ADDITEMS = 0x90,
    /* the stack and the memo */
    MARK = '(',
    POP = '0',
    POP_MARK = '1',
    DUP = '2',
    PUT = 'p',
    GET = 'g',
    BINPUT = 'q',
    BINGET = 'h',
    LONG_BINPUT = 'r',
    LONG_BINGET = 'j',
    MEMOIZE = 0x94,
    /* imports, calls, construction */
    GLOBAL = 'c',
    STACK_GLOBAL = 0x93,
    REDUCE = 'R',
    NEWOBJ = 0x81,
    NEWOBJ_EX = 0x92,
    INST = 'i',
    OBJ = 'o',
    BUILD = 'b',
    PERSID = 'P',
    BINPERSID = 'Q',
    /* what only other programs, or memory, hold */
    EXT1 = 0x82,
    EXT2 = 0x83,
    EXT4 = 0x84,
    NEXT_BUFFER = 0x97,
    READONLY_BUFFER = 0x98
};

#endif
