package main

// stamp is the time of a log line: day/month/year:hour:minute:second and the distance of
// its time zone from UTC in minutes.
type stamp struct {
	year, month, day, hour, minute, second, zone int
}

// stamp takes a time in brackets and the space behind it.
func (c *cutter) stamp() stamp {
	const shape = "[00/Mmm/0000:00:00:00 ±0000] "
	const width = len(shape) - len("±") + 1
	t := c.take(width, 0)
	if len(t) != width {
		return stamp{}
	}
	i := 0
	for _, want := range shape {
		switch want {
		case '0':
			c.ok = c.ok && isDigit(t[i])
		case '±':
			c.ok = c.ok && (t[i] == '+' || t[i] == '-')
		case 'M', 'm':
		default:
			c.ok = c.ok && t[i] == byte(want)
		}
		i++
	}
	s := stamp{
		year: number(t[8:12]), month: monthOf(t[4:7]), day: number(t[1:3]),
		hour: number(t[13:15]), minute: number(t[16:18]), second: number(t[19:21]),
	}
	hours, minutes := number(t[23:25]), number(t[25:27])
	s.zone = 60*hours + minutes
	if t[22] == '-' {
		s.zone = -s.zone
	}
	c.ok = c.ok && s.valid() && hours < 24 && minutes < 60
	return s
}

func number(digits []byte) (n int) {
	for _, d := range digits {
		n = 10*n + int(d-'0')
	}
	return n
}

// monthOf returns 1 to 12, or 0 if there is no such month.
func monthOf(name []byte) int {
	const names = "JanFebMarAprMayJunJulAugSepOctNovDec"
	for i := 0; i < len(names); i += 3 {
		if string(name) == names[i:i+3] {
			return i/3 + 1
		}
	}
	return 0
}

// valid says whether there is such a time, and whether it has a number of nanoseconds.
func (s stamp) valid() bool {
	return s.year > 1677 && s.year < 2262 && s.month > 0 && s.day > 0 && s.day <= s.daysInMonth() &&
		s.hour < 24 && s.minute < 60 && s.second < 60
}

func (s stamp) daysInMonth() int {
	switch s.month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if s.year%4 == 0 && (s.year%100 != 0 || s.year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// unixNano counts from 1970 in years that start in March, so that leap days come last.
func (s stamp) unixNano() int64 {
	year, month := s.year, s.month-3
	if month < 0 {
		year, month = year-1, month+12
	}
	days := 365*year + year/4 - year/100 + year/400 + (153*month+2)/5 + s.day - 1 - 719468
	seconds := ((days*24+s.hour)*60+s.minute-s.zone)*60 + s.second
	return int64(seconds) * 1e9
}

// append writes the time as RFC 3339 has it, in its own time zone.
func (s stamp) append(to []byte) []byte {
	to = append(to, byte('0'+s.year/1000), byte('0'+s.year/100%10))
	to = appendTwo(to, 0, s.year%100)
	to = appendTwo(to, '-', s.month)
	to = appendTwo(to, '-', s.day)
	to = appendTwo(to, 'T', s.hour)
	to = appendTwo(to, ':', s.minute)
	to = appendTwo(to, ':', s.second)
	switch {
	case s.zone == 0:
		return append(to, 'Z')
	case s.zone < 0:
		return appendTwo(appendTwo(to, '-', -s.zone/60), ':', -s.zone%60)
	default:
		return appendTwo(appendTwo(to, '+', s.zone/60), ':', s.zone%60)
	}
}

// appendTwo writes a separator, if there is one, and two digits.
func appendTwo(to []byte, separator byte, n int) []byte {
	if separator != 0 {
		to = append(to, separator)
	}
	return append(to, byte('0'+n/10), byte('0'+n%10))
}
