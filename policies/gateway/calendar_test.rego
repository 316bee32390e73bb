package gateway.calendar_test

import data.gateway.calendar

test_known_times if {
	every pair in [
		[0, "1970-01-01T00:00:00Z"],
		[59, "1970-01-01T00:00:59Z"],
		[3600, "1970-01-01T01:00:00Z"],
		[951782399, "2000-02-28T23:59:59Z"],
		[951782400, "2000-02-29T00:00:00Z"],
		[951868800, "2000-03-01T00:00:00Z"],
		[1709251199, "2024-02-29T23:59:59Z"],
		[1735689599, "2024-12-31T23:59:59Z"],
		[1735689600, "2025-01-01T00:00:00Z"],
		[4107542399, "2100-02-28T23:59:59Z"],
		[4107542400, "2100-03-01T00:00:00Z"],
		[253402300799, "9999-12-31T23:59:59Z"],
	] {
		calendar.rfc3339(pair[0]) == pair[1]
	}
}

# Native OPA knows the time; the rule has to agree, here every 61 days for 167 years.
test_agrees_with_the_built_in if {
	every step in numbers.range(0, 1000) {
		seconds := (step * 61) * 86461
		calendar.rfc3339(seconds) == time.format([seconds * 1000000000, "UTC", "2006-01-02T15:04:05Z07:00"])
	}
}
