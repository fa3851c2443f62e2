//go:build !unix

package main

import "github.com/p2ps/p2ps/pkg/disk"

func faulty(string) disk.Hook { panic("P2PS_TEST_FAULT needs unix") }
