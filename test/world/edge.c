/* What stands before and behind swflip's variables: linked twice, around its object file. */
#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)

_Alignas(64) char JOIN(EDGE, _data)[64] = { 1 };
_Alignas(64) char JOIN(EDGE, _bss)[64];
