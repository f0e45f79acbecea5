package scale

// Decision is how many instances a vertex is to have.
type Decision struct {
	Instances int
	Wanted    Metric[int] // what the formula says, within the bounds
	Kind      Kind
	Reason    string // in words, for people
}

// Kind is what a decision comes from.
type Kind string

// The kinds. Those up to Woken change the instances.
const (
	Up        Kind = "up"        // more are needed
	Down      Kind = "down"      // fewer have done for the whole lookback
	Zero      Kind = "zero"      // nothing came for the whole lookback
	Bounds    Kind = "bounds"    // it was out of them
	Woken     Kind = "woken"     // something came while there was none
	Steady    Kind = "steady"    // it is as needed
	Lookback  Kind = "lookback"  // fewer would do, and have not for long enough
	Cooldown  Kind = "cooldown"  // the last change is too short ago
	Full      Kind = "full"      // more would only fill the downstream
	Stuck     Kind = "stuck"     // something waits and nothing is taken
	NotKnown  Kind = "unknown"   // what it takes to decide is not known
	Asleep    Kind = "asleep"    // there is none, and nothing to do
	Suspended Kind = "suspended" // it is not the time to decide
)

// Kinds lists the kinds.
func Kinds() []Kind {
	return []Kind{Up, Down, Zero, Bounds, Woken, Steady, Lookback, Cooldown, Full, Stuck, NotKnown, Asleep, Suspended}
}
