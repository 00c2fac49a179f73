# Every place of a C file where it can be broken, a line each, in the order of the file; for test/mutate.
#
#	awk -f mutate.awk config.h swflip.c	NUMBER, LINE, KIND, OFFSET, LENGTH, NEW, FUNCTION, OLD, divided by tabs
#
# The bytes from OFFSET on, LENGTH of them, become NEW. It goes by the layout of .clang-format: a function's body stands
# between a { and a } in the first column. Of the first file only the enumerations are read.
#
# Left alone are comments, strings (messages and the help, which lint compares with the manual), preprocessor lines, and
# the sizes of arrays: a byte more or less of room is no behaviour.

function keyword(word) {
	return word ~ /^(if|else|for|while|do|switch|case|return|break|continue|sizeof|goto)$/
}

# A token: its text, where it begins, its line, and how many brackets are open around it.
function take(length_, type_) {
	n++
	text[n] = substr($0, at, length_)
	type[n] = type_
	offset[n] = begins + at - 1
	line[n] = FNR
	round[n] = rounds
	in_function[n] = body
	name[n] = body ? function_name : ""
	at += length_
}

function tokenize(   c, rest, two) {
	at = 1
	while (at <= length($0)) {
		rest = substr($0, at)
		if (comment) {
			c = index(rest, "*/")
			at = c ? at + c + 1 : length($0) + 1
			comment = !c
			continue
		}
		c = substr(rest, 1, 1)
		two = substr(rest, 1, 2)
		if (c ~ /[ \t]/)
			at++
		else if (two == "/*") {
			comment = 1
			at += 2
		} else if (two == "//")
			break
		else if (match(rest, /^"([^"\\]|\\.)*"/))
			take(RLENGTH, "string")
		else if (match(rest, /^'([^'\\]|\\.[0-7]*)'/))
			take(RLENGTH, "character")
		else if (match(rest, /^[A-Za-z_][A-Za-z_0-9]*/))
			take(RLENGTH, "word")
		else if (match(rest, /^[0-9][0-9a-zA-Z]*/))
			take(RLENGTH, "number")
		else if (match(rest, /^(<<=|>>=|\.\.\.)/))
			take(3, "operator")
		else if (two ~ /^(->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*\/%&|^]=)$/)
			take(2, "operator")
		else {
			rounds -= c == ")"
			take(1, "operator")
			rounds += c == "("
		}
	}
}

function emit(kind, first, last, new,   old, i) {
	old = text[first]
	for (i = first + 1; i <= last; i++)
		old = old (offset[i] > offset[i - 1] + length(text[i - 1]) ? " " : "") text[i]
	printf "%d\t%d\t%s\t%d\t%d\t%s\t%s\t%s\n", ++places, line[first], kind, offset[first],
		offset[last] + length(text[last]) - offset[first], new, name[first] == "" ? "(table)" : name[first], old
}

# Does the token end a value, so that an operator behind it has two sides?
function ends_value(i) {
	return type[i] ~ /^(number|string|character)$/ || text[i] ~ /^[])]$/ || (type[i] == "word" && !keyword(text[i]))
}

# Where the bracket that opens at i closes.
function closing(i,   depth) {
	for (depth = 0; i <= n; i++) {
		depth += text[i] ~ /^[[({]$/
		depth -= text[i] ~ /^[])}]$/
		if (!depth)
			return i
	}
}

# Where the statement that begins at i ends: at its semicolon.
function statement_end(i) {
	for (; i <= n && text[i] != ";"; i++)
		if (text[i] ~ /^[[({]$/)
			i = closing(i)
	return i
}

# Notes which words an enumeration has, each with another one of it.
function note_enumerations(   i, j, last, before) {
	for (i = 1; i <= n; i++) {
		if (text[i] != "enum")
			continue
		for (j = i + 1; text[j] ~ /^[a-z_]+$/; j++)
			;
		if (text[j] != "{")
			continue
		last = closing(j)
		before = ""
		for (j++; j < last; j++) {
			defines[j] = 1
			if (text[j] ~ /^[A-Z][A-Z_0-9]+$/ && text[j - 1] ~ /^[{,]$/) {
				if (before != "") {
					other[before] = text[j]
					other[text[j]] = before
				}
				before = text[j]
			}
			if (text[j] ~ /^[[({]$/)
				j = closing(j)
		}
	}
}

# Marks the sizes in declarations, and the designators of tables.
function note_sizes(   i, j, last) {
	for (i = 2; i <= n; i++) {
		if (text[i] != "[")
			continue
		last = closing(i)
		if (text[last + 1] ~ /^[=.]$/ && text[i - 1] ~ /^[{,]$/ || declares(i))
			for (j = i; j <= last; j++)
				room[j] = 1
	}
}

# Does the declaration of an array, a member or a parameter have its size in the bracket at i?
function declares(i,   j) {
	for (j = i - 1; j > 1 && text[j] == "]"; j--)
		while (text[j] != "[")
			j--
	return type[j] == "word" && (text[j - 1] == "*" || type[j - 1] == "word" && !keyword(text[j - 1]))
}

function break_operator(i,   op, both) {
	op = text[i]
	both = ends_value(i - 1)
	if (op in relation)
		emit("relation", i, i, relation[op])
	else if (op in logic)
		emit("logic", i, i, logic[op])
	else if (op == "!")
		emit("logic", i, i, "")
	else if (op ~ /^[*&]$/ && (!both || text[i + 1] ~ /^([)*,]|const)$/ || text[i - 2] ~ /^(struct|enum|const)$/))
		return
	else if (op in arithmetic && (both || op ~ /^(\+\+|--)$/))
		emit("arithmetic", i, i, arithmetic[op])
	else if (op ~ /^[-~]$/)
		emit("arithmetic", i, i, "")
}

# Of a time, and of a round number, one more or less is nothing: they are halved and doubled.
function break_number(i,   digits, last) {
	digits = text[i]
	if (digits ~ /^0x/) {
		match(digits, /^0x[0-9a-fA-F]*/)
		last = substr(digits, RLENGTH, 1)
		emit("constant", i, i, substr(digits, 1, RLENGTH - 1) flipped[tolower(last)] substr(digits, RLENGTH + 1))
	} else if (digits > 1 && (digits % 100 == 0 || text[i - 1] == "=" && text[i - 2] ~ /_MS$/)) {
		emit("constant", i, i, digits * 2)
		emit("constant", i, i, digits / 2)
	} else {
		emit("constant", i, i, digits + 1)
		if (digits + 0 > 0)
			emit("constant", i, i, digits - 1)
	}
}

function break_character(i,   c) {
	c = substr(text[i], 2, length(text[i]) - 2)
	if (c in escape)
		c = escape[c]
	else
		c = substr(ascii, index(ascii, c) + 1, 1)
	emit("constant", i, i, "'" c "'")
}

function break_word(i,   word) {
	word = text[i]
	if (word == "true")
		emit("constant", i, i, "false")
	else if (word == "false")
		emit("constant", i, i, "true")
	else if (word !~ /^[A-Z][A-Z_0-9]+$/ || defines[i] || text[i + 1] ~ /^[("]/ || type[i + 1] == "string" || word == "NULL")
		return
	else if (type[i - 1] == "string" || text[i - 2] == "STR")
		return
	else if (word in other)
		emit("constant", i, i, other[word])
	else
		emit("constant", i, i, "0")
}

# A statement is an expression and its semicolon; a declaration begins with two words, or a word and a star.
function break_statement(i,   last, value) {
	last = statement_end(i)
	if (text[i] ~ /^(break|continue)$/) {
		emit("jump", i, last, ";")
		emit("jump", i, i, text[i] == "break" ? "continue" : "break")
	} else if (text[i] == "return") {
		value = text[i + 1]
		if (!(text[last + 1] == "}" && !in_function[last + 2]))
			emit("return", i, last, ";")
		if (value != ";" && !(i + 2 == last && value ~ /^(0|NULL|true|false|[0-9]+|[A-Z_]+)$/))
			emit("return", i, last, "return 0;")
	} else if (text[i] ~ /^[{};)]$/ || keyword(text[i]) || text[i] ~ /^(static|const|struct|enum)$/)
		return
	else if (type[i] == "word" && (type[i + 1] == "word" || text[i + 1] == "*"))
		return
	else
		emit("statement", i, last, ";")
}

BEGIN {
	split("< <= <= < > >= >= > == != != ==", pair, " ")
	for (i = 1; i in pair; i += 2)
		relation[pair[i]] = pair[i + 1]
	split("+ - - + * / / * % / << >> >> << & | | & += -= -= += *= /= |= &= &= |= ++ -- -- ++", pair, " ")
	for (i = 1; i in pair; i += 2)
		arithmetic[pair[i]] = pair[i + 1]
	logic["&&"] = "||"
	logic["||"] = "&&"
	split("0 1 1 0 2 3 3 2 4 5 5 4 6 7 7 6 8 9 9 8 a b b a c d d c e f f e", pair, " ")
	for (i = 1; i in pair; i += 2)
		flipped[pair[i]] = pair[i + 1]
	escape["\\n"] = "\\r"
	escape["\\r"] = "\\n"
	escape["\\t"] = "\\n"
	escape["\\0"] = "\\1"
	escape["\\\\"] = "/"
	for (i = 32; i < 127; i++)
		ascii = ascii sprintf("%c", i)
}

FNR == 1 && NR > 1 {
	note_enumerations()
	n = begins = 0
	for (i in defines)
		delete defines[i]
}

/^[a-zA-Z].*\(/ && !body {
	function_name = $0
	sub(/^PRINTF\([0-9]\) /, "", function_name)
	sub(/\(.*/, "", function_name)
	sub(/.*[ *]/, "", function_name)
}

/^\{/ { body = 1 }

/^}/ { body = 0 }

!/^#/ && !continued { tokenize() }

{
	continued = (/^#/ || continued) && /\\$/
	begins += length($0) + 1
}

END {
	note_enumerations()
	note_sizes()
	for (i = 1; i <= n; i++) {
		table = !in_function[i] && (inside > 0 || defines[i])
		if (!in_function[i] && text[i] == "=" && text[i + 1] == "{")
			inside = closing(i + 1)
		if (inside && i >= inside)
			inside = 0
		if (!in_function[i] && !table || room[i])
			continue
		if (type[i] == "number")
			break_number(i)
		else if (type[i] == "character")
			break_character(i)
		else if (type[i] == "word")
			break_word(i)
		else if (type[i] == "operator")
			break_operator(i)
		begins_statement = !round[i] && (text[i - 1] ~ /^([;}]|else|do)$/ || block[i - 1] || condition[i - 1])
		block[i] = text[i] == "{" && (condition[i - 1] || text[i - 1] ~ /^(else|do)$/ || !in_function[i - 1])
		if (text[i] ~ /^(if|for|while|switch)$/ && text[i + 1] == "(")
			condition[closing(i + 1)] = 1
		if (in_function[i] && begins_statement)
			break_statement(i)
	}
}
