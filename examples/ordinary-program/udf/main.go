// Leaderboard keeps the three best players of each game. It is an ordinary program: what it
// knows is in its variables, and it neither stores nor loads them.
package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	wasmill "github.com/wasmill/wasmill/abi/sdk/go"
)

func init() {
	wasmill.Map(`{"name": "leaderboard", "version": "1.0.0", "kind": "map", "tags": []}`, played)
}

func main() {} // not called

var (
	points = make(map[string]map[string]int) // by game and player
	best   = make(map[string][]string)       // players by game, the best one first
)

func played(r *wasmill.Record, out *wasmill.Output) error {
	var p struct {
		Game, Player string
		Points       int
	}
	if err := json.Unmarshal(r.Value, &p); err != nil {
		return err
	}
	player := strings.ToUpper(p.Player[:1]) + p.Player[1:] // a bug: not everybody has a name
	if points[p.Game] == nil {
		points[p.Game] = make(map[string]int)
	}
	all := points[p.Game]
	all[player] += p.Points

	before := best[p.Game]
	now := slices.Clone(before)
	if !slices.Contains(now, player) {
		now = append(now, player)
	}
	slices.SortStableFunc(now, func(a, b string) int { return all[b] - all[a] })
	now = now[:min(3, len(now))]
	if slices.Equal(now, before) {
		return nil
	}
	best[p.Game] = now
	line := fmt.Sprintf(`{"game":%q,"best":[`, p.Game)
	for i, name := range now {
		if i > 0 {
			line += ","
		}
		line += fmt.Sprintf("{%q:%d}", name, all[name])
	}
	r.Value = []byte(line + "]}")
	out.Emit(r)
	return nil
}
