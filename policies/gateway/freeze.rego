# Times in which a target takes no writes. Windows are [from, to) in whole seconds since 1970-01-01T00:00:00Z.
package gateway.freeze

import data.gateway.action

rules contains "defer.freeze-window" if {
	action.writes != set()
	count(ends) > 0
}

ends contains window[1] if {
	some window in data.targets[input.session.target].freezeWindows
	input.time >= window[0]
	input.time < window[1]
}

# When the last of the windows that hold now is over.
until := max(ends)
