//go:build !amd64 || purego

package pix

import "image"

func hashRows(dst []uint64, m *Image, r image.Rectangle) { hashRowsGeneric(dst, m, r) }

func hashColumns(dst []uint64, m *Image, r image.Rectangle) { hashColumnsGeneric(dst, m, r) }
