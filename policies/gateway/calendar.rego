# RFC 3339 text of a time in UTC: the built-ins for time do not exist in WebAssembly.
package gateway.calendar

rfc3339(seconds) := concat("", [
	date(floor(seconds / 86400)),
	"T",
	padded(floor((seconds % 86400) / 3600)),
	":",
	padded(floor((seconds % 3600) / 60)),
	":",
	padded(seconds % 60),
	"Z",
])

# The proleptic Gregorian calendar, in eras of 400 years (146,097 days) that begin on 1 March, so that the leap day is
# the last of its year.
date(days) := concat("-", [format_int(year, 10), padded(month), padded(day)]) if {
	shifted := days + 719468
	era := floor(shifted / 146097)
	day_of_era := shifted - (era * 146097)
	leap_days := (floor(day_of_era / 1460) - floor(day_of_era / 36524)) + floor(day_of_era / 146096)
	year_of_era := floor((day_of_era - leap_days) / 365)
	day_of_year := day_of_era - (((365 * year_of_era) + floor(year_of_era / 4)) - floor(year_of_era / 100))
	month_from_march := floor(((5 * day_of_year) + 2) / 153)
	day := (day_of_year - floor(((153 * month_from_march) + 2) / 5)) + 1
	month := ((month_from_march + 2) % 12) + 1
	year := (year_of_era + (era * 400)) + floor((month_from_march + 2) / 12)
}

padded(number) := concat("", ["0", format_int(number, 10)]) if number < 10

padded(number) := format_int(number, 10) if number >= 10
