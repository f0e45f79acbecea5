package storetest_test

import (
	"testing"

	"github.com/wasmill/wasmill/checkpoint"
	"github.com/wasmill/wasmill/checkpoint/storetest"
)

func TestMemoryConforms(t *testing.T) {
	var place storetest.Place
	storetest.Run(t, func(*testing.T) checkpoint.Store { return place.Open() })
}
